"""Sources, each with the codes that are reported, in order."""

from __future__ import annotations

import textwrap

#: By rule: (source, expected codes). The path is `pkg/mod.py` unless the source begins with `# path:`.
TABLES: dict[str, list[tuple[str, list[str]]]] = {
    "PYC401": [
        ("import marshal\nmarshal.loads(data[16:])", ["PYC401"]),
        ("import marshal\nmarshal.loads(data[8:])", ["PYC401"]),
        ("import marshal\nmarshal.loads(open('a', 'rb').read()[12:])", ["PYC401"]),
        ("import marshal\nmarshal.loads(memoryview(data)[16:])", ["PYC401"]),
        ("import marshal\nmarshal.loads(bytes(data[16:]))", ["PYC401"]),
        ("import marshal\nHEADER = 16\nmarshal.loads(data[HEADER:])", ["PYC401"]),
        ("import marshal\nbody = data[16:]\nmarshal.loads(body)", ["PYC401"]),
        ("import marshal\nf.read(16)\nmarshal.load(f)", ["PYC401"]),
        ("import marshal\nf.seek(16)\nmarshal.loads(f.read())", ["PYC401"]),
        ("import marshal\nf.read(4)\nf.read(4)\nf.read(4)\nmarshal.load(f)", ["PYC401"]),
        ("import marshal\nf.read(99)\nf.seek(12)\nmarshal.load(f)", ["PYC401"]),
        ("import marshal\nmagic = f.read(4)\ndate = f.read(4)\nmarshal.load(f)", ["PYC401"]),
        ("import marshal\ndef g(f):\n    f.read(8)\n    return marshal.load(f)", ["PYC401"]),
        # The header is looked at.
        ("import marshal\nassert data[:4] == MAGIC_NUMBER\nmarshal.loads(data[16:])", []),
        (
            "import marshal\nif f.read(4) != imp.get_magic(): raise E\nf.read(12)\nmarshal.load(f)",
            [],
        ),
        ("import marshal\ncheck_magic(data)\nmarshal.loads(data[16:])", []),
        ("import marshal\n_classify_pyc(data, n, d)\nmarshal.loads(memoryview(data)[16:])", []),
        # No header is skipped.
        ("import marshal\nmarshal.loads(data)", []),
        ("import marshal\nmarshal.loads(data[4:])", []),
        ("import marshal\nmarshal.loads(data[:16])", []),
        ("import marshal\nmarshal.loads(data[8:16])", []),
        ("import marshal\nmarshal.loads(data[16])", []),
        ("import marshal\nmarshal.loads(data[n:])", []),
        ("import marshal\nmarshal.loads(data[True:])", []),
        ("import marshal\na=16\nb=a\nc=b\nd=c\ne=d\nf=e\nmarshal.loads(data[f:])", []),
        ("import marshal\nmarshal.loads(f.read(16))", []),
        ("import marshal\nmarshal.loads()", []),
        ("import marshal\nmarshal.loads(get())", []),
        ("import marshal\nmarshal.load(f)\nf.read(16)", []),
        ("import marshal\nf.read(n)\nf.read(16)\nmarshal.load(f)", []),
        ("import marshal\nf.read()\nf.close()\nmarshal.load(f)", []),
        ("import marshal\ng.read(16)\nmarshal.load(f)", []),
        ("import marshal\nself.f.read(16)\nmarshal.load(f)", []),
        ("import marshal\nmarshal.load(self.f)", []),
        ("import marshal\ndef g():\n    f.read(16)\nmarshal.load(f)", []),
        # A look-alike.
        ("import json as marshal\nmarshal.loads(data[16:])", []),
        ("def f(marshal):\n    marshal.loads(data[16:])", []),
        ("from .marshal import loads\nloads(data[16:])", []),
    ],
    "PYC402": [
        ("import marshal\nexec(marshal.loads(data))", ["PYC402"]),
        ("import marshal as m, zlib\nexec(m.loads(zlib.decompress(data)), {})", ["PYC402"]),
        ("from marshal import load\ncode = load(f)\neval(code)", ["PYC402"]),
        ("import marshal\nmarshal.loads(d)\nexec(code)", []),
        ("exec(__import__('marshal').loads(data))", ["PYC402"]),
        ("import builtins, marshal\nbuiltins.exec(marshal.loads(data))", ["PYC402"]),
        ("import six, marshal\nsix.exec_(marshal.loads(data))", ["PYC402"]),
        ("import marshal, types\ntypes.FunctionType(marshal.loads(d), globals())", ["PYC402"]),
        (
            "import marshal, types\ntypes.FunctionType(globals={}, code=marshal.loads(d))",
            ["PYC402"],
        ),
        ("import marshal\na = b = marshal.loads(data)\nc = a\nexec(c)", ["PYC402"]),
        ("import marshal\ncode = None\ncode = marshal.loads(data)\nexec(code)", ["PYC402"]),
        ("import marshal\nf.__code__ = marshal.loads(data)", ["PYC402"]),
        ("import marshal\nexec(marshal.loads(data[16:]))", ["PYC402", "PYC401"]),
        ("import marshal\ntable = marshal.loads(data)\nprint(table)", []),
        ("import marshal\nexec(compile(source, 'a', 'exec'))\nmarshal.loads(data)", []),
        ("import marshal\nfor code in marshal.loads(data): exec(code)", []),
        ("import marshal\nexec()", []),
        ("import marshal\nexec(*marshal.loads(data))", []),
        ("import marshal\ndef exec(x): pass\nexec(marshal.loads(data))", []),
        ("import marshal\nm.code = marshal.loads(data)", []),
        (
            "import marshal\nco = compile('', '', 'exec')\nco = marshal.loads(d)\nm.__code__ = co",
            [],
        ),
        ("import marshal\nf.__code__ = g.__code__", []),
    ],
    "PYC403": [
        (
            "from importlib.machinery import SourcelessFileLoader\nSourcelessFileLoader('a', p)",
            ["PYC403"],
        ),
        (
            "import importlib.machinery as m\nm.SourcelessFileLoader('a', p).load_module()",
            ["PYC403"],
        ),
        (
            "from importlib import _bootstrap_external as b\nb.SourcelessFileLoader('a', p)",
            ["PYC403"],
        ),
        ("import imp\nimp.load_compiled('a', 'a.bin')", ["PYC403"]),
        ("from imp import load_compiled as lc\nlc('a', p)", ["PYC403"]),
        ("import imp\nimp.load_module('a', f, p, ('', 'rb', imp.PY_COMPILED))", ["PYC403"]),
        (
            (
                "from importlib.machinery import *\n"
                "FileFinder.path_hook((SourcelessFileLoader, BYTECODE_SUFFIXES))"
            ),
            ["PYC403"],
        ),
        (
            (
                "from importlib import machinery as m\n"
                "details = [(m.SourcelessFileLoader, m.BYTECODE_SUFFIXES)]\nm.FileFinder(p, *details)"
            ),
            ["PYC403"],
        ),
        (
            "from importlib import machinery as m\nm.SourceFileLoader('a', p)\nSourcelessFileLoader",
            [],
        ),
        ("from importlib.machinery import SourcelessFileLoader as S\nisinstance(x, S)", []),
        (
            "from importlib.machinery import SourcelessFileLoader as S\nisinstance(x, (S, T))",
            ["PYC403"],
        ),
        ("from importlib.machinery import SourcelessFileLoader as S\nclass L(S): pass", []),
        (
            "from importlib.machinery import SourcelessFileLoader as S\na = (S, 'x')\nf((1, 2, 3))",
            [],
        ),
        ("class SourcelessFileLoader: pass\nSourcelessFileLoader('a', p)", []),
        ("import imp\nimp.load_module('a', f, p, ('', 'r', imp.PY_SOURCE))  # not PY_COMPILED", []),
    ],
    "PYC404": [
        ("from importlib.util import spec_from_file_location as s\ns('a', 'a.pyc')", ["PYC404"]),
        (
            "from importlib import util\nutil.spec_from_file_location('a', location=d + '/a.pyc')",
            ["PYC404"],
        ),
        ("import runpy\nrunpy.run_path(f'{d}/a.pyc')", ["PYC404"]),
        ("import imp\nimp.load_source('a', 'a.pyo')", ["PYC404"]),
        (
            "import importlib.machinery as m, os\nm.SourceFileLoader('a', os.path.join(d, 'a.pyc'))",
            ["PYC404"],
        ),
        ("import runpy, pathlib\nrunpy.run_path(pathlib.Path(d) / 'a.pyc')", ["PYC404"]),
        (
            "import runpy, pathlib\nrunpy.run_path(str(pathlib.Path(d).with_suffix('.pyc')))",
            ["PYC404"],
        ),
        ("import runpy\nrunpy.run_path('%s/%s.pyc' % (d, n))", ["PYC404"]),
        ("import runpy\nrunpy.run_path('{}.pyc'.format(n))", ["PYC404"]),
        ("import runpy\np = 'a.pyc'\nrunpy.run_path(p)", ["PYC404"]),
        ("import runpy, glob\nfor p in sorted(glob.glob('*.pyc')): runpy.run_path(p)", ["PYC404"]),
        ("import runpy, glob\nfor p in glob.glob('*.py[co]'): runpy.run_path(p)", ["PYC404"]),
        (
            (
                "import runpy\nfrom importlib.util import cache_from_source\n"
                "runpy.run_path(cache_from_source('a.py'))"
            ),
            ["PYC404"],
        ),
        (
            "import runpy, py_compile\npyc = py_compile.compile('a.py')\nrunpy.run_path(pyc)",
            ["PYC404"],
        ),
        # Through a function.
        ("import runpy\ndef load(n, p):\n    runpy.run_path(p)\nload('a', 'a.pyc')", ["PYC404"]),
        ("import runpy\nasync def load(p):\n    runpy.run_path(p)\nload(p='a.pyc')", ["PYC404"]),
        ("import runpy\ndef load(p):\n    runpy.run_path(p)\nload('a.py')  # no .pyc", []),
        ("import runpy\ndef load(p):\n    runpy.run_path(p)\nload()  # .pyc\ng('a.pyc')", []),
        ("import runpy\ndef load(p):\n    runpy.run_path(q)\nload('a.pyc')", []),
        ("import runpy\ndef load(p):\n    runpy.run_path(p)\ndef load(p): ...\nload('a.pyc')", []),
        ("import runpy\nload = lambda p: runpy.run_path(p)\nload('a.pyc')", []),
        ("import runpy\nrunpy.run_path('a.py')  # .pyc", []),
        ("import runpy\np = 'a.pyc'\nrunpy.run_path(f'{p}')", ["PYC404"]),
        ("import runpy\np = 'a.pyc'\nrunpy.run_path(f'{p!r}')", []),
        ("import runpy\np = 'a.pyc'\nrunpy.run_path(f'{p:>9}')", []),
        ("import runpy\np = 'a.pyc'\np = p + '.pyc'\nrunpy.run_path(p)", []),
        ("import runpy\nrunpy.run_path()  # .pyc", []),
        ("import runpy\nrunpy.run_path(path)  # .pyc", []),
        ("import runpy\nrunpy.run_path(n + '.pyc' if x else p)", []),
        ("run_path('a.pyc')\nspec_from_file_location('a', 'a.pyc')", []),
        ("import runpy\nfor p in x: runpy.run_path(p)  # .pyc", []),
        ("import runpy\nfor p in f(x): runpy.run_path(p)  # .pyc", []),
        ("import runpy\nfor p in f(): runpy.run_path(p)  # .pyc", []),
    ],
    "PYC405": [
        ("import subprocess, sys\nsubprocess.run([sys.executable, 'a.pyc'])", ["PYC405"]),
        (
            (
                "import subprocess, sys\nfrom importlib.util import cache_from_source as c\n"
                "subprocess.run([sys.executable, c(p)])"
            ),
            ["PYC405"],
        ),
        ("import subprocess as s\ns.Popen(('python3.12', '-u', f'{d}/a.pyc', '-x'))", ["PYC405"]),
        (
            "import subprocess\nsubprocess.call(['env', 'A=1', 'python', '-W', 'error', 'a.pyc'])",
            ["PYC405"],
        ),
        ("import os\nos.system('python main.pyc')", ["PYC405"]),
        (
            "import os, sys\nos.system('cd x && %s -X dev \"main.pyc\" >log' % sys.executable)",
            ["PYC405"],
        ),
        ("import os\nos.system('C:\\\\py\\\\pythonw.exe a.pyc')", ["PYC405"]),
        ("import os, sys\nos.execv(sys.executable, [sys.executable, 'a.pyc'])", ["PYC405"]),
        ("import os, sys\nos.execl(sys.executable, 'python', 'a.pyc')", ["PYC405"]),
        ("import asyncio\nasyncio.create_subprocess_exec('pypy3', 'a.pyc')", ["PYC405"]),
        ("import subprocess\ncommand = ['python', 'a.pyc']\nsubprocess.run(command)", ["PYC405"]),
        ("import subprocess\nsubprocess.run(['python', 'a.py', 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run(['python', '-m', 'dis', 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run(['python', '-c', 'x', 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run(['python', '-', 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run(['python', *args, 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run(['python'])  # .pyc", []),
        ("import subprocess\nsubprocess.run(['uncompyle6', 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run(['cp', 'python', 'a.pyc'])", []),
        ("import subprocess\nsubprocess.run()  # .pyc", []),
        ("import os\nos.execv(path)  # .pyc", []),
        ("def system(x): pass\nsystem('python a.pyc')", []),
    ],
    "PYC411": [
        (
            (
                "import py_compile\n"
                "py_compile.compile(p, doraise=True,"
                " invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"
            ),
            ["PYC411"],
        ),
        ("from py_compile import PycInvalidationMode as M\nmode = M.UNCHECKED_HASH", ["PYC411"]),
        ("from py_compile import PycInvalidationMode as M\nf(M['UNCHECKED_HASH'])", ["PYC411"]),
        (
            "from py_compile import PycInvalidationMode as M\ndef f(m=M.UNCHECKED_HASH): ...",
            ["PYC411"],
        ),
        (
            "from py_compile import PycInvalidationMode as M\ndef f(): return M.UNCHECKED_HASH if x else y",
            ["PYC411"],
        ),
        (
            "from py_compile import PycInvalidationMode as M\nm: M = x or M.UNCHECKED_HASH",
            ["PYC411"],
        ),
        ("from py_compile import PycInvalidationMode as M\nm = M.UNCHECKED_HASH\nf(m)", ["PYC411"]),
        (
            "import subprocess\nsubprocess.run(['x', '--invalidation-mode', 'unchecked-hash'])",
            ["PYC411"],
        ),
        (
            "import subprocess\nsubprocess.run(('x', '--invalidation-mode=unchecked-hash', 'y'))",
            ["PYC411"],
        ),
        (
            "import os\nos.system('python -m compileall --invalidation-mode unchecked-hash .')",
            ["PYC414", "PYC411"],
        ),
        ("import os\nos.execl(p, p, '--check-hash-based-pycs', 'never', 'x')", ["PYC411"]),
        ("import _imp\n_imp.check_hash_based_pycs = 'never'", ["PYC411", "PYC421"]),
        (
            (
                "from importlib._bootstrap_external import _code_to_hash_pyc as c\n"
                "c(code, digest, False)\nc(code, digest, checked=False)"
            ),
            ["PYC411", "PYC411"],
        ),
        (
            (
                "from importlib._bootstrap_external import _code_to_hash_pyc as c\n"
                "c(code, digest)\nc(code, digest, True)\nc(code, digest, checked)"
            ),
            [],
        ),
        ("from py_compile import PycInvalidationMode as M\nif mode == M.UNCHECKED_HASH: ...", []),
        ("from py_compile import PycInvalidationMode as M\nMODES = {'u': M.UNCHECKED_HASH}", []),
        ("from py_compile import PycInvalidationMode as M\nfor m in [M.UNCHECKED_HASH]: ...", []),
        ("from py_compile import PycInvalidationMode as M\nM.UNCHECKED_HASH.name", []),
        ("from py_compile import PycInvalidationMode as M\nM.UNCHECKED_HASH(x)", []),
        ("modes = {}\nf(modes['UNCHECKED_HASH'])", []),
        (
            "from py_compile import PycInvalidationMode as M\nf(M['CHECKED_HASH'], 'UNCHECKED_HASH')",
            [],
        ),
        ("from py_compile import PycInvalidationMode as M\nx[M.UNCHECKED_HASH] = 1", []),
        (
            "from py_compile import PycInvalidationMode as M\nM['CHECKED_HASH']  # UNCHECKED_HASH",
            [],
        ),
        (
            "class PycInvalidationMode: UNCHECKED_HASH = 3\nf(PycInvalidationMode.UNCHECKED_HASH)",
            [],
        ),
        ("help = '--invalidation-mode=unchecked-hash'\nf()", []),
        ("f(['--invalidation-mode', 'checked-hash', 'unchecked-hash'])", []),
        ("import _imp\n_imp.check_hash_based_pycs = x", ["PYC421"]),
        ("a.check_hash_based_pycs = 'never'", []),
    ],
    "PYC412": [
        ("import compileall\nok = compileall.compile_dir(d, legacy=True)", ["PYC412"]),
        (
            "from compileall import compile_file\nok = compile_file(f, None, False, None, 0, True)",
            ["PYC412"],
        ),
        (
            "import subprocess\nsubprocess.run(['python', '-m', 'compileall', '-b', '.'])",
            ["PYC412"],
        ),
        ("import os\nos.system('python -m compileall -q -b .')", ["PYC412"]),
        ("import zipfile\nwith zipfile.PyZipFile(p, 'w') as z:\n    z.writepy(d)", ["PYC412"]),
        ("import zipfile\nzipfile.PyZipFile(p, 'w').writepy(d)", ["PYC412"]),
        ("import compileall\nok = compileall.compile_dir(d)", []),
        ("import compileall\nok = compileall.compile_dir(d, legacy=False)", []),
        ("import compileall\nok = compileall.compile_dir(d, legacy=legacy)", []),
        ("import subprocess\nsubprocess.run(['python', '-b', '-m', 'compileall', '.'])", []),
        ("import subprocess\nsubprocess.run(['ls', '-b'])  # compileall", []),
        ("import zipfile\nz = zipfile.ZipFile(p)\nz.writepy(d)  # PyZipFile\nwritepy(d)", []),
    ],
    "PYC413": [
        ("import py_compile\npy_compile.compile(p)", ["PYC413"]),
        ("from py_compile import compile\ncompile(p, doraise=False)", ["PYC413"]),
        ("import compileall\ncompileall.compile_dir(d)", ["PYC413"]),
        (
            "import compileall\ncompileall.compile_file(d)\ncompileall.compile_path()",
            ["PYC413", "PYC413"],
        ),
        ("import py_compile\nwith open(p) as f:\n    py_compile.compile(p)", ["PYC413"]),
        ("import py_compile\nmatch = x\nwith lock, f():\n    py_compile.compile(p)", ["PYC413"]),
        ("import py_compile\npy_compile.compile(p, doraise=True)", []),
        ("import py_compile\npy_compile.compile(p, None, None, True)", []),
        ("import py_compile\npy_compile.compile(p, doraise=strict)", []),
        ("import py_compile\npy_compile.compile(*args)", []),
        ("import py_compile\npy_compile.compile(p, **options)", []),
        ("import py_compile\npyc = py_compile.compile(p)", []),
        ("import compileall\nif not compileall.compile_dir(d): raise SystemExit(1)", []),
        ("import py_compile\nwith pytest.raises(OSError):\n    py_compile.compile(p)", []),
        (
            "import compileall\nwith self.assertRaisesRegex(E, 'x'):\n    compileall.compile_dir(p)",
            [],
        ),
        ("import re as py_compile\npy_compile.compile(p)", []),
        ("# path: tests/a.py\nimport py_compile\npy_compile.compile(p)", []),
        ("# path: pkg/test_a.py\nimport py_compile\npy_compile.compile(p)", []),
        ("# path: setup.py\nimport py_compile\npy_compile.compile(p)", ["PYC413"]),
        ("compile(p, '', 'exec')  # py_compile", []),
    ],
    "PYC414": [
        *[
            (
                f"import compileall as c\nfrom py_compile import PycInvalidationMode as M\n{call}",
                codes,
            )
            for call, codes in [
                ("x = c.compile_dir(d, invalidation_mode=M.CHECKED_HASH)", ["PYC414"]),
                ("x = c.compile_dir(d, force=False, invalidation_mode=M.CHECKED_HASH)", ["PYC414"]),
                ("x = c.compile_file(d, force=0, invalidation_mode=M['CHECKED_HASH'])", ["PYC414"]),
                ("x = c.compile_path(invalidation_mode=M.CHECKED_HASH)", ["PYC414"]),
                ("m = M.CHECKED_HASH\nx = c.compile_path(invalidation_mode=m)", ["PYC414"]),
                (
                    "x = c.compile_dir(d, None, None, 0, None, 0, False, -1, 1, M.CHECKED_HASH)",
                    ["PYC414"],
                ),
                ("x = c.compile_path(1, 0, False, 0, False, -1, M.CHECKED_HASH)", ["PYC414"]),
                ("x = c.compile_file(p, 0, 0, None, 0, False, -1, M.CHECKED_HASH)", ["PYC414"]),
                (
                    "x = c.compile_file(p, invalidation_mode=M.CHECKED_HASH if y else None)",
                    ["PYC414"],
                ),
                ("x = c.compile_file(p, invalidation_mode=y or M.CHECKED_HASH)", ["PYC414"]),
                (
                    "FORCE = False\nx = c.compile_dir(d, 1, d, FORCE, invalidation_mode=M.CHECKED_HASH)",
                    ["PYC414"],
                ),
                # Forced, or perhaps.
                ("x = c.compile_dir(d, force=True, invalidation_mode=M.CHECKED_HASH)", []),
                ("x = c.compile_dir(d, 10, None, True, invalidation_mode=M.CHECKED_HASH)", []),
                ("x = c.compile_dir(d, force=f, invalidation_mode=M.CHECKED_HASH)", []),
                ("x = c.compile_dir(d, invalidation_mode=M.CHECKED_HASH, **options)", []),
                ("x = c.compile_dir(*a, invalidation_mode=M.CHECKED_HASH)", []),
                # No hash-based mode, as far as it is known.
                ("x = c.compile_dir(d)", []),
                ("x = c.compile_dir(d, invalidation_mode=None)", []),
                ("x = c.compile_dir(d, invalidation_mode=M.TIMESTAMP)", []),
                ("x = c.compile_dir(d, invalidation_mode=M['TIMESTAMP'])", []),
                ("x = c.compile_dir(d, invalidation_mode=M[n])", []),
                ("x = c.compile_dir(d, invalidation_mode=mode)", []),
                ("x = c.compile_dir(d, invalidation_mode=y if z else None)", []),
                ("x = other.compile_dir(d, invalidation_mode=M.CHECKED_HASH)  # compileall", []),
            ]
        ],
        *[
            (f"import subprocess, sys\n{call}", codes)
            for call, codes in [
                (
                    "subprocess.run([sys.executable, '-m', 'compileall', '--invalidation-mode', 'checked-hash', d])",
                    ["PYC414"],
                ),
                (
                    "subprocess.run(['python3', '-m', 'compileall', '-q', '--invalidation-mode=checked-hash'])",
                    ["PYC414"],
                ),
                (
                    "subprocess.run(f'python -m compileall --invalidation-mode checked-hash {d}', shell=True)",
                    ["PYC414"],
                ),
                (
                    "c = ['python', '-m', 'compileall', '--invalidation-mode=checked-hash']\nsubprocess.run(c)",
                    ["PYC414"],
                ),
                (
                    "subprocess.run(['python', '-m', 'compileall', '--invalidation-mode', 'checked-hash', '-f'])",
                    [],
                ),
                (
                    "subprocess.run(['python', '-m', 'compileall', '-qf', '--invalidation-mode=checked-hash'])",
                    [],
                ),
                (
                    "subprocess.run(['python', '-m', 'compileall', '--invalidation-mode', 'timestamp'])",
                    [],
                ),
                ("subprocess.run(['python', '-m', 'compileall', d])", []),
                ("subprocess.run(['python', '-m', 'compileall', '--invalidation-mode'])", []),
                (
                    "subprocess.run(['python', '-m', 'compileall', *o, '--invalidation-mode=checked-hash'])",
                    [],
                ),
                (
                    "c = ['python', '-m', 'compileall', *o, '--invalidation-mode=checked-hash']\nsubprocess.run(c)",
                    [],
                ),
                (
                    "c = ['python', '-m', 'compileall', '--invalidation-mode=checked-hash']\nif f: c.append('-f')\nsubprocess.run(c)",
                    [],
                ),
            ]
        ],
    ],
    "PYC421": [
        ("import sys\nsys.dont_write_bytecode = True", ["PYC421"]),
        ("import sys as s\ns.pycache_prefix = '/tmp/x'", ["PYC421"]),
        ("import sys\nsys.implementation.cache_tag: str = None", ["PYC421"]),
        ("import sys\nif DEBUG:\n    sys.dont_write_bytecode = True", ["PYC421"]),
        ("import sys\nclass A:\n    sys.dont_write_bytecode = True", ["PYC421"]),
        ("import sys\nsetattr(sys, 'dont_write_bytecode', True)", ["PYC421"]),
        (
            "# path: pkg/__init__.py\n#!/usr/bin/env python\nimport sys\nsys.dont_write_bytecode = True",
            ["PYC421"],
        ),
        # A script's own start.
        ("#!/usr/bin/env python\nimport sys\nsys.dont_write_bytecode = True", []),
        ("import sys\nsys.dont_write_bytecode = True\nif __name__ == '__main__': main()", []),
        ("import sys\nsys.dont_write_bytecode = True\nif '__main__' == __name__: main()", []),
        ("# path: conftest.py\nimport sys\nsys.dont_write_bytecode = True", []),
        ("# path: tools\\\\run-it.py\nimport sys\nsys.dont_write_bytecode = True", []),
        ("import sys\nsys.dont_write_bytecode = True\nif __name__ != '__main__': ...", ["PYC421"]),
        ("import sys\nsys.dont_write_bytecode = True\nif __name__ == x: ...", ["PYC421"]),
        ("import sys\nsys.dont_write_bytecode = True\nif '__main__' == x: ...", ["PYC421"]),
        # Not when the module is imported, or put back.
        ("import sys\ndef main():\n    sys.dont_write_bytecode = True", []),
        ("import sys\nf = lambda: setattr(sys, 'dont_write_bytecode', True)", []),
        ("import sys\nold = sys.dont_write_bytecode\nsys.dont_write_bytecode = True", []),
        ("import sys\nold, sys.dont_write_bytecode = sys.dont_write_bytecode, True", []),
        ("import sys\nif sys.dont_write_bytecode: ...\nsys.dont_write_bytecode = True", ["PYC421"]),
        ("import sys\nold = sys.pycache_prefix\nsys.dont_write_bytecode = True", ["PYC421"]),
        ("self.dont_write_bytecode = True\nsetattr(self, 'dont_write_bytecode')", []),
        (
            "import sys\nsetattr(sys, name, True)\nsetattr(sys, 'path', [])  # dont_write_bytecode",
            [],
        ),
        ("from mock import sys\nsys.dont_write_bytecode = True", []),
    ],
    "PYC422": [
        ("import os\nos.environ['PYTHONDONTWRITEBYTECODE'] = '1'", ["PYC422"]),
        ("from os import environ\nenviron['PYTHONPYCACHEPREFIX'] = p", ["PYC422"]),
        ("import os\nos.environ.setdefault('PYTHONDONTWRITEBYTECODE', '1')", ["PYC422"]),
        ("import os\nos.environ.update({'PYTHONPYCACHEPREFIX': p, **x})", ["PYC422"]),
        ("import os\nos.environ.update(PYTHONDONTWRITEBYTECODE='1', **x)", ["PYC422"]),
        ("import os\nos.environb[b'PYTHONDONTWRITEBYTECODE'] = b'1'", ["PYC422"]),
        ("import os\nos.putenv('PYTHONDONTWRITEBYTECODE', '1')", ["PYC422"]),
        # Whom it is for.
        ("import os, subprocess\nos.environ['PYTHONDONTWRITEBYTECODE'] = '1'", []),
        (
            "import os\nfrom multiprocessing import Pool\nos.environ['PYTHONDONTWRITEBYTECODE'] = '1'",
            [],
        ),
        (
            "import os\nfrom . import x\nos.environ['PYTHONDONTWRITEBYTECODE'] = '1'\nos.execv(p, a)",
            [],
        ),
        (
            "import os, sys\nos.environ['PYTHONDONTWRITEBYTECODE'] = '1'\nsys.dont_write_bytecode = True\nif __name__ == '__main__': ...",
            [],
        ),
        # The environment is read, is another's, or the variable is another.
        ("import os\nprint(os.environ['PYTHONDONTWRITEBYTECODE'])", []),
        ("import os\nenv = dict(os.environ)\nenv['PYTHONDONTWRITEBYTECODE'] = '1'", []),
        ("import os\nos.environ['PYTHONPATH'] = 'PYTHONDONTWRITEBYTECODE'", []),
        (
            "import os\nos.environ.get('PYTHONDONTWRITEBYTECODE')\nos.environ.update(x)\nos.putenv()",
            [],
        ),
        ("import os\nos.environ[name] = '1'  # PYTHONDONTWRITEBYTECODE", []),
        ("import os\ndel os.environ['PYTHONDONTWRITEBYTECODE']", []),
        ("monkeypatch.setenv('PYTHONDONTWRITEBYTECODE', '1')", []),
    ],
    "PYC431": [
        ("import os\nos.path.join(d, '__pycache__', n + '.pyc')", ["PYC431"]),
        ("p = f'{d}/__pycache__/{n}.cpython-313.pyc'", ["PYC431"]),
        ("p = Path(d) / '__pycache__' / f'{n}.pyc'", ["PYC431"]),
        ("p = d.joinpath('__pycache__', '%s.pyc' % n)", ["PYC431"]),
        ("p = '__pycache__/%s.%s.pyo' % (n, tag)", ["PYC431"]),
        ("p = '{}/__pycache__/{}.pyc'.format(d, n)", ["PYC431"]),
        ("p = '{d}/__pycache__/{n}.pyc'.format(d=d, n=n)", ["PYC431"]),
        (
            "import os\nc = os.path.join(d, '__pycache__')\np = os.path.join(c, n + '.pyc')",
            ["PYC431"],
        ),
        ("p = (d / '__pycache__').with_name(n).absolute() / (n + '.pyc')", []),
        ("p = d + '\\\\__pycache__\\\\' + n + '.pyc'", ["PYC431"]),
        ("import os\nprint(open(os.path.join(d, '__pycache__', n + '.pyc')))", ["PYC431"]),
        ("p = str(d / '__pycache__' / (n + '.pyc'))", ["PYC431"]),
        ("p = str('%s/__pycache__/' % d + f'{n}.pyc')", ["PYC431"]),
        # A fixture's name, a search, a directory, something else.
        ("p = '__pycache__/a.cpython-313.pyc'", []),
        ("import os\nos.path.join('__pycache__', 'a.pyc')", []),
        ("import glob\nglob.glob(d + '/__pycache__/*.pyc')", []),
        ("import os\nos.path.join(d, '__pycache__')", []),
        ("import os\nos.path.join(d, '__pycache__', n + '.nbi')", []),
        ("p = f'{d}/my__pycache__/{n}.pyc'", []),
        ("p = d - '__pycache__'\nq = f'{d!r:>9}'\nr = f'{d:{w}}' % x", []),
        ("p = '%s/__pycache__/%s.pyc' % (a, b, c)", ["PYC431"]),
        # One path is one finding, however often it is passed on.
        ("p = f'{d}/__pycache__/{n}.pyc'\nq = str(p)\nr = Path(p)\nprint(p + '')", ["PYC431"]),
        (
            "import os\np = os.path.join(d, '__pycache__', n + '.pyc')\nos.path.join(x, p)",
            ["PYC431"],
        ),
        (
            "p = Path(d) / '__pycache__' / (n + '.pyc')\np.resolve().absolute()\nq = f'{p}'",
            ["PYC431"],
        ),
        (
            "p = f'{d}/__pycache__/{n}.pyc'\nq = '%s' % p\nr = '%s' % (p,)\nt = '{}'.format(p)",
            ["PYC431"],
        ),
        ("import os\nos.fspath(os.path.abspath(f'{d}/__pycache__/{n}.pyc'))", ["PYC431"]),
        ("p = f'{d}/__pycache__/{n}.pyc'\nq = f'{d}/__pycache__/{n}.pyo'", ["PYC431", "PYC431"]),
        ("import glob\nfor p in glob.glob(d + '/__pycache__/*.pyc'): print(str(p))", []),
        # As setuptools has it: one stem, four endings.
        (
            (
                "import os, sys\nb = os.path.join('__pycache__', '__init__.' + sys.implementation.cache_tag)\n"
                "x = [b + '.pyc', b + '.pyo', b + '.opt-1.pyc', b + '.opt-2.pyc']"
            ),
            ["PYC431"],
        ),
    ],
    "PYC432": [
        ("import shutil\nshutil.rmtree('__pycache__')", ["PYC432"]),
        (
            "import shutil, os\nshutil.rmtree(os.path.join(d, '__pycache__/'), ignore_errors=True)",
            ["PYC432"],
        ),
        ("from os import remove\nremove(p + '.pyc')", ["PYC432"]),
        ("import os\nos.unlink(f'{p}.pyo')", ["PYC432"]),
        ("from pathlib import Path\nPath('a.pyc').unlink()", ["PYC432"]),
        ("for c in root.rglob('__pycache__'):\n    c.rmdir()", ["PYC432"]),
        ("import shutil\nfor c in list(root.glob('**/__pycache__')): shutil.rmtree(c)", ["PYC432"]),
        ("import os, glob\n[os.remove(p) for p in glob.iglob('**/*.py[co]')]", ["PYC432"]),
        (
            "import os, fnmatch\nfor f in fnmatch.filter(fs, '*.pyc'): os.remove(os.path.join(d, f))",
            ["PYC432"],
        ),
        (
            "import os\nfor f in fs:\n    if f.endswith('.pyc'):\n        os.remove(os.path.join(d, f))",
            ["PYC432"],
        ),
        (
            "import os\nif p.is_file() and p.name.endswith(('.pyc', '.pyo')): os.remove(p)",
            ["PYC432"],
        ),
        ("import os\nif p.endswith('.pyc') or p.endswith('.pyo'): os.remove(p)", ["PYC432"]),
        ("import shutil\nif d == '__pycache__': shutil.rmtree(d)", ["PYC432"]),
        ("import shutil\nif '__pycache__' in d: shutil.rmtree(d)", ["PYC432"]),
        ("if p.suffix == '.pyc':\n    p.unlink()", ["PYC432"]),
        ("import os\nos.remove(p) if p.endswith('.pyc') else None", ["PYC432"]),
        ("import os\nwhile p.endswith('.pyc'): os.remove(p)", ["PYC432"]),
        ("import shutil\nshutil.rmtree(d + '\\\\__PyCache__\\\\')", ["PYC432"]),
        ("import os\nos.remove(n + '.PYC')", ["PYC432"]),
        (
            "import os\nfrom importlib.util import cache_from_source as c\nos.remove(d + c(p))",
            ["PYC432"],
        ),
        # What was asked for, what is not known, what is something else.
        ("import os\nfrom importlib.util import cache_from_source as c\nos.remove(c(p))", []),
        ("import os, py_compile as c\np = c.compile(q)\nos.remove(os.fspath(p))", []),
        (
            "from pathlib import Path\nfrom imp import cache_from_source as c\nPath(c(p)).resolve().unlink()",
            ["PYC433"],
        ),
        ("import os\nfrom imp import *\nos.remove(str(d, cache_from_source(p)))", []),
        ("import os, py_compile\np = str(p)\nos.remove(p)", []),
        ("import os\nif f.endswith(('.pyc', '.tmp')): os.remove(f)", []),
        ("import os\nif f.endswith('.pyc') or x: os.remove(f)", []),
        ("import os\nif f.endswith('.pyc'): ...\nelse: os.remove(f)", []),
        ("import os\nif f.endswith('.pyc'): os.remove(g)", []),
        ("import os\nif f.startswith('.pyc'): os.remove(f)", []),
        ("import os\nif f.endswith(): os.remove(f)  # .pyc", []),
        ("import os\nif f != '.pyc': os.remove(f)", []),
        ("import os\nif g == '.pyc': os.remove(f)", []),
        ("import os\nif f == '.py': os.remove(f)  # .pyc", []),
        ("import os\nif check(f): os.remove(f)  # .pyc", []),
        ("import os\nif x:\n    def g():\n        os.remove(f)  # .pyc", []),
        ("import os\nos.remove('a.py')  # .pyc\nos.remove()", []),
        ("import shutil\nshutil.rmtree(d)  # __pycache__", []),
        ("queue.remove('a.pyc')\nremove('a.pyc')", []),
        # A test, or a step of a build: nobody imports while it runs.
        *[
            (f"# path: {path}\nimport shutil\nshutil.rmtree('__pycache__')", codes)
            for path, codes in [
                ("setup.py", []),
                ("pkg/noxfile.py", []),
                ("conftest.py", []),
                ("tasks.py", []),
                ("tests/helpers.py", []),
                ("src/pkg/tests/util.py", []),
                ("test\\\\support.py", []),
                ("test_cache.py", []),
                ("pkg/cache_test.py", []),
                ("pkg/tests.py", []),
                ("contest.py", ["PYC432"]),
                ("latest/a.py", ["PYC432"]),
                ("mytests/a.py", ["PYC432"]),
                ("tests.d/a.py", ["PYC432"]),
                ("setup_py.py", ["PYC432"]),
            ]
        ],
    ],
    "PYC433": [
        ("import imp\nimp.get_magic()", ["PYC433"]),
        ("from imp import get_tag as t\nprint(t())", ["PYC433"]),
        ("import imp\nimp.cache_from_source(p)", ["PYC433"]),
        ("import imp\nf = imp.source_from_cache", ["PYC433"]),
        ("import py_compile\npy_compile.MAGIC", ["PYC433"]),
        ("from importlib import _bootstrap as b\nb.MAGIC_NUMBER", ["PYC433"]),
        ("import importlib._bootstrap\nimportlib._bootstrap.MAGIC_NUMBER", ["PYC433"]),
        ("from importlib.machinery import DEBUG_BYTECODE_SUFFIXES as s\nprint(s)", ["PYC433"]),
        ("from importlib.util import cache_from_source\ncache_from_source(p, True)", ["PYC433"]),
        ("import importlib.util as u\nu.cache_from_source(p, debug_override=False)", ["PYC433"]),
        ("import importlib.util as u\nu.cache_from_source(p, optimization='')", []),
        ("import importlib.util as u\ndef c(p, d=None):\n    return u.cache_from_source(p, d)", []),
        ("import importlib.util as u\nd = 1\nu.cache_from_source(p, d)", ["PYC433"]),
        ("import importlib.util as u\nu.cache_from_source(p, nobody)", ["PYC433"]),
        # For old versions only.
        (
            "try:\n    from importlib.util import MAGIC_NUMBER as m\nexcept ImportError:\n    import imp\n    m = imp.get_magic()",
            [],
        ),
        ("try:\n    import imp\nexcept ImportError:\n    imp = None\nimp.get_magic()", []),
        (
            "try:\n    from importlib.util import cache_from_source as c\nexcept ImportError:\n    from imp import cache_from_source as c\nc(p)",
            [],
        ),
        ("import sys\nif sys.version_info < (3, 4):\n    import imp\n    imp.get_magic()", []),
        ("import imp\nm = imp.get_magic() if PY2 else n", []),
        ("import imp\nif hasattr(imp, 'get_tag'): imp.get_tag()", []),
        ("import imp\ntry:\n    m = imp.get_magic()\nexcept:\n    m = None", []),
        (
            "import imp\ntry:\n    m = imp.get_magic()\nexcept (KeyError, ValueError): ...",
            ["PYC433"],
        ),
        ("import imp\ntry: x\nexcept e.ImportError: imp.get_magic()", []),
        ("import imp\ntry: x\nexcept KeyError: imp.get_magic()", ["PYC433"]),
        ("import imp\nif x > 1: imp.get_magic()", ["PYC433"]),
        ("import imp\nif x:\n    imp.get_magic()\n    y = version", ["PYC433"]),
        (
            "import imp\ndef f():\n    try:\n        def g(): imp.get_magic()\n    except ImportError: ...",
            ["PYC433"],
        ),
        ("import imp\nimp.find_module(n)  # get_magic", []),
        ("imp.get_magic()\nself.imp.get_tag()", []),
        ("from . import imp\nimp.get_magic()", []),
        ("__import__('imp').get_magic()", ["PYC433"]),
    ],
    "PYC434": [
        ("p = __file__.replace('.pyc', '.py')", ["PYC434"]),
        ("p = str(m.__file__).replace('.pyo', '.py', 1)", ["PYC434"]),
        ("p = p.replace(b'.pyc', b'.py')", ["PYC434"]),
        ("p = p.replace('.pyc', '')", []),
        ("p = p.replace('.py', '.pyc')", []),
        ("p = p.replace('.pyc')", []),
        ("p = p.replace(a, b)  # .pyc", []),
        ("p = p.replace(1, 2)  # .pyc", []),
        ("p = replace('.pyc', '.py')\nq = p.sub('.pyc', '.py')", []),
    ],
    "PYC435": [
        ("from importlib.util import source_from_cache as s\ns(p)", ["PYC435"]),
        ("import importlib.util\nimportlib.util.source_from_cache(p)", ["PYC435"]),
        (
            "from importlib.util import source_from_cache as s\ntry: s(p)\nexcept OSError: ...",
            ["PYC435"],
        ),
        ("from importlib.util import source_from_cache as s\ntry: x\nfinally: s(p)", ["PYC435"]),
        (
            "from importlib.util import source_from_cache as s\ntry: s(p)\nexcept ValueError: ...",
            [],
        ),
        (
            "from importlib.util import source_from_cache as s\ntry: s(p)\nexcept (OSError, ValueError): ...",
            [],
        ),
        ("from importlib.util import source_from_cache as s\ntry: s(p)\nexcept: ...", []),
        ("def source_from_cache(p): ...\nsource_from_cache(p)", []),
        *[
            (f"from importlib.util import source_from_cache as s\n{source}", codes)
            for source, codes in [
                ("import contextlib\nwith contextlib.suppress(ValueError): s(p)", []),
                ("from contextlib import suppress as q\nwith q(OSError, ValueError): s(p)", []),
                (
                    "from contextlib import suppress\nwith open(x) as f, suppress(ValueError): s(p)",
                    [],
                ),
                ("from contextlib import suppress\nwith suppress(ValueError), f(s(p)): ...", []),
                (
                    "from contextlib import suppress\nwith f(s(p)), suppress(ValueError): ...",
                    ["PYC435"],
                ),
                (
                    "from contextlib import suppress\nwith suppress(ValueError):\n  for x in y:\n    if x: s(x)",
                    [],
                ),
                (
                    "from contextlib import suppress\nquiet = suppress(ValueError)\nwith quiet: s(p)",
                    [],
                ),
                (
                    "from contextlib import suppress\nE = (OSError, ValueError)\nwith suppress(*E): s(p)",
                    [],
                ),
                ("from contextlib import suppress\nwith suppress(*errors): s(p)", []),
                ("from contextlib import suppress\nwith suppress(OSError): s(p)", ["PYC435"]),
                ("from contextlib import suppress\nwith suppress(): s(p)", ["PYC435"]),
                ("from contextlib import suppress\nwith suppress('ValueError'): s(p)", ["PYC435"]),
                ("from mine import suppress\nwith suppress(ValueError): s(p)", ["PYC435"]),
                ("with lock: s(p)", ["PYC435"]),
                (
                    "from contextlib import suppress\nwith suppress(ValueError):\n  def f(): s(p)",
                    ["PYC435"],
                ),
                (
                    "from contextlib import ExitStack, suppress\nwith ExitStack() as t:\n  t.enter_context(suppress(ValueError))\n  s(p)",
                    [],
                ),
                (
                    "from contextlib import ExitStack, suppress\nwith ExitStack() as t:\n  s(p)\n  t.enter_context(suppress(ValueError))",
                    ["PYC435"],
                ),
                (
                    "from contextlib import ExitStack, suppress\nwith ExitStack() as t:\n  s(p)\nt.enter_context(suppress(ValueError))",
                    ["PYC435"],
                ),
                (
                    "from contextlib import AsyncExitStack, suppress\nasync def f():\n  async with AsyncExitStack() as t:\n    t.enter_context(suppress(Exception))\n    s(p)",
                    [],
                ),
                ("import pytest\nwith pytest.raises(ValueError, match='x'): s(p)", []),
                ("from pytest import raises\nwith raises((ValueError, OSError)): s(p)", []),
                ("from pytest import raises\nwith raises(expected_exception=ValueError): s(p)", []),
                ("with self.assertRaises(ValueError) as e: s(p)", []),
                ("with self.assertRaisesRegex(ValueError, 'x'): s(p)", []),
                ("with self.assertRaises(OSError): s(p)", ["PYC435"]),
                ("with check()(ValueError): s(p)", ["PYC435"]),
                ("try: s(p)\nexcept OSError: ...\nexcept ValueError: ...", []),
                ("try:\n  try: s(p)\n  except OSError: ...\nexcept Exception: ...", []),
                ("try:\n  with f: s(p)\nexcept builtins.ValueError: ...", []),
                ("E = ValueError\ntry: s(p)\nexcept E: ...", []),
                ("E = (OSError, ValueError)\ntry: s(p)\nexcept E: ...", []),
                ("E = OSError\ntry: s(p)\nexcept E: ...", ["PYC435"]),
                (
                    "try:\n  from j import E\nexcept ImportError:\n  E = ValueError\ntry: s(p)\nexcept E: ...",
                    [],
                ),
                ("def f(e):\n  try: s(p)\n  except e: ...", []),
                ("try: s(p)\nexcept errors(): ...", []),
                ("from j import E\ntry: s(p)\nexcept E: ...", ["PYC435"]),
                ("class E(Exception): ...\ntry: s(p)\nexcept E: ...", ["PYC435"]),
                ("try: s(p)\nexcept j.E: ...", ["PYC435"]),
                ("try: ...\nexcept ValueError: s(p)", ["PYC435"]),
                ("try: ...\nexcept ValueError: ...\nelse: s(p)", ["PYC435"]),
            ]
        ],
    ],
    "PYC436": [
        ("import a\nprint(a.__cached__)", ["PYC436"]),
        ("a.__cached__ = None", ["PYC436"]),
        ("print(__cached__)", ["PYC436"]),
        ("def f():\n    return __cached__", ["PYC436"]),
        ("__cached__ = 1\nprint(__cached__)", []),
        ("try: p = a.__cached__\nexcept AttributeError: p = None", []),
        ("if hasattr(a, '__cached__'): print(a.__cached__)", []),
        ("import sys\nif sys.version_info < (3, 15): print(a.__cached__)", []),
        ("import sys as s\nif s.hexversion < 0x30f0000: print(a.__cached__)", []),
        ("from sys import version_info as v\nx = a.__cached__ if v < (3, 15) else None", []),
        ("import sys\nOLD = sys.version_info < (3, 15)\nif OLD: print(a.__cached__)", []),
        ("from compat import PY315\nif not PY315: print(a.__cached__)", []),
        ("import six\nif six.PY2: print(a.__cached__)", []),
        ("from contextlib import suppress\nwith suppress(AttributeError): print(a.__cached__)", []),
        ("if self.version > 3: print(a.__cached__)", ["PYC436"]),
        ("if app_version: print(a.__cached__)", ["PYC436"]),
        ("OLD = 1\nif OLD: print(a.__cached__)", ["PYC436"]),
        ("p = getattr(a, '__cached__', None)", []),
        ("class A:\n    def f(self): return self.__cached__", []),
        ("p = a.__spec__.cached  # __cached__", []),
    ],
}


def of(source: str) -> tuple[str, str]:
    """Return a table's source with the path it asks for."""
    first, _, rest = source.partition("\n")
    if first.startswith("# path: "):
        return textwrap.dedent(rest), first.removeprefix("# path: ")
    return source, "pkg/mod.py"
