"""What ignore files of public repositories have about bytecode: the lines that decide, and the verdict.

Each was read from the repository at the named commit. Only lines that name bytecode, or that re-include
something, are kept; order and spelling are theirs.
"""

from __future__ import annotations

from typing import NamedTuple


class PublicFile(NamedTuple):
    """The top `.gitignore` of a repository."""

    #: Owner and name.
    name: str
    commit: str
    lines: tuple[str, ...]
    #: Whether `check-gitignore` passes by default.
    passes: bool = True


REPOSITORIES = (
    PublicFile("pypa/pip", "019d1c7b", ("*.pyc", "*.pyo ")),
    PublicFile("pypa/pip", "6d309205", ("__pycache__/", "*$py.class")),
    PublicFile("pallets/flask", "180c6785", ("*.pyc", "*.pyo")),
    PublicFile("pallets/flask", "2ac89889", ("__pycache__/",)),
    PublicFile("psf/black", "02d06b13", ("__pycache__/", "*/__pycache__/", "*/**/__pycache__/")),
    PublicFile("encode/httpx", "05d913d0", ("*.pyc", "__pycache__/")),
    PublicFile("sphinx-doc/sphinx", "00169a07", ("*.pyc",)),
    PublicFile("scrapy/scrapy", "050b392c", ("*.pyc",)),
    PublicFile("wagtail/wagtail", "085333e1", ("*.pyc", "/.gitignore/")),
    PublicFile("j178/prek", "8c88c2dc", ("__pycache__/",)),
    PublicFile("pytest-dev/pytest", "1266ebec", ("*.pyc", "*.pyo")),
    PublicFile("django/django", "0168831f", ("*.py[co]", "__pycache__")),
    PublicFile(
        "numpy/numpy",
        "0383c7a5",
        (
            "*.py[ocd]",
            "!tools/ci/emscripten/0001-do-not-set-meson-environment-variable-pyodide-gh-4502.patch",
        ),
    ),
    PublicFile("ansible/ansible", "012b73c4", ("*.py[co]",)),
    PublicFile(
        "home-assistant/core",
        "008849b7",
        (
            "*.py[cod]",
            "!.vscode/cSpell.json",
            "!.vscode/extensions.json",
            "!.vscode/tasks.json",
        ),
    ),
    PublicFile("python-poetry/poetry", "15f31faa", ("*.pyc",)),
    PublicFile("tiangolo/fastapi", "9dc1b1a4", ("__pycache__",)),
    PublicFile("psf/requests", "09504445", ("*.pyc",)),
    PublicFile("pandas-dev/pandas", "00e63190", ("__pycache__/", "*.py[cod]", "*$py.class")),
    PublicFile("scikit-learn/scikit-learn", "006ec19c", ("*.pyc",)),
    PublicFile("python/mypy", "01f38939", ("__pycache__", "*.py[cod]")),
    PublicFile(
        "python/cpython",
        "003b808e",
        (
            "*.pyc",
            "*.pyd",
            "*.pyo",
            "__pycache__",
            "!core/",
            "!Lib/site-packages/README.txt",
            "!Lib/test/data/README",
            "!/Python/",
        ),
    ),
    PublicFile("scipy/scipy", "00215e3b", ("*.py[ocd]",)),
    PublicFile(
        "matplotlib/matplotlib",
        "00538ed8",
        ("*.py[ocd]", "!examples/tests/backend_driver_sgskip.py"),
    ),
    PublicFile("celery/celery", "03a713b2", ("*.pyc", "*$py.class")),
    PublicFile("tornadoweb/tornado", "0ca7fa01", ("*.pyc", "*.pyo")),
    PublicFile("aio-libs/aiohttp", "01303f4d", ("*.pyc", "*.pyd", "*.pyo")),
    PublicFile("pre-commit/pre-commit", "1746a97e", ("*.py[co]",)),
    PublicFile("tox-dev/tox", "03de3ac2", ("*.pyc", "*.pyo", "__pycache__")),
    PublicFile("sqlalchemy/sqlalchemy", "050dee53", ("*.pyc", "*.pyd", "*.pyo")),
    PublicFile(
        "apache/airflow",
        "002ebe0c",
        (
            "__pycache__/",
            "*.py[cod]",
            "*$py.class",
            "!.vscode/extensions.json",
            "!/docker-context-files/.README.md",
        ),
    ),
    PublicFile("getsentry/sentry", "03085983", ("*.pyc",)),
    PublicFile(
        "pytorch/pytorch",
        "00f97a87",
        (
            "*/**/__pycache__",
            "*/*.pyc",
            "*/**/*.pyc",
            "*/**/**/*.pyc",
            "*/**/**/**/*.pyc",
            "*/**/**/**/**/*.pyc",
        ),
    ),
    PublicFile("tensorflow/tensorflow", "00427099", ("*.pyc", "__pycache__")),
    PublicFile("asottile/pyupgrade", "0ef2faef", ("*.pyc",)),
    PublicFile("spyder-ide/spyder", "0198e709", ("*.py[oc]",)),
    PublicFile(
        "adafruit/circuitpython",
        "24e71f92",
        (
            "!atmel-samd/asf/**/*.a",
            "!ports/espressif/microros-lib/**/*.a",
            "!*.toml.bin",
            "__pycache__/",
            "*.pyc",
        ),
    ),
    PublicFile("volatilityfoundation/volatility3", "04d85a11", ("__pycache__", "*.pyc")),
    PublicFile("jupyter/notebook", "107d746c", ("*.py[co]", "__pycache__")),
    PublicFile("pyinstaller/pyinstaller", "02c42680", ("*.py[co]", "__pycache__/")),
    PublicFile("ipython/ipython", "01435682", ("*.pyc",)),
    PublicFile("pyca/cryptography", "0f66c6df", ("*.py[co]", "__pycache__/")),
    PublicFile("twisted/twisted", "00bdf2d7", ("*.py[co]",)),
    PublicFile("saltstack/salt", "00dd6cee", ("*.py[co]",)),
    PublicFile("odoo/odoo", "01607800", (".*", "!.gitignore", "!.mailmap", "*.py[co]")),
    PublicFile("micropython/micropython-lib", "598d1a35", ("__pycache__",)),
    PublicFile("microsoft/PTVS", "0b8bb42c", (), passes=False),
    PublicFile("vfarcic/dot-agent-deck", "1f8bb13a", ("/target", "tmp/"), passes=False),
)

#: The templates of github/gitignore that name bytecode, at dcc0fc7b.
TEMPLATES = (
    PublicFile("Flutter", "dcc0fc7b", ("*.pyc", "!**/ios/**/default.mode1v3")),
    PublicFile("Modelica", "dcc0fc7b", ("*.pyc",)),
    PublicFile("Plone", "dcc0fc7b", ("*.pyc", "*.pyo")),
    PublicFile(
        "Python",
        "dcc0fc7b",
        ("__pycache__/", "*.py[codz]", "*$py.class", "!.pixi/config.toml"),
    ),
    PublicFile("ROS", "dcc0fc7b", ("*.pyc",)),
    PublicFile("TurboGears2", "dcc0fc7b", ("*.py[co]",)),
    PublicFile(
        "VisualStudio",
        "dcc0fc7b",
        (
            "!Directory.Build.rsp",
            "!.axoCover/settings.json",
            "!**/[Pp]ackages/build/",
            "!?*.[Cc]ache/",
            "**/__pycache__/",
            "*.pyc",
            "!.vscode/*.code-snippets",
        ),
    ),
    PublicFile("community/DotNet/core", "dcc0fc7b", ("*.pyc",)),
    PublicFile("community/LensStudio", "dcc0fc7b", ("__pycache__/", "*.py[cod]", "*$py.class")),
    PublicFile("community/MetaTrader5", "dcc0fc7b", ("__pycache__/", "*.pyc")),
    PublicFile("community/Python/Nikola", "dcc0fc7b", ("*.py[cod]",)),
    PublicFile("community/ROS2", "dcc0fc7b", ("*.pyc",)),
    PublicFile("ecu.test", "dcc0fc7b", ("__pycache__/", "*.py[cod]")),
)
