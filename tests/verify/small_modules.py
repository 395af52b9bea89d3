"""Small modules that every Python from 2.7 on compiles, each with other kinds of code."""

from __future__ import annotations

MODULES = {
    "empty": "",
    "constants": "x = 1, -2, 3.5, -0.0, 2j, 'text', b'bytes', None, True, 1 << 40\n",
    "texts": "# coding: utf-8\nx = u'\\xe9', u'\\u20ac', u'\\U0001f600', 'a' * 3, ''\n",
    "large numbers": "x = 2 ** 100, -(2 ** 70), 0x7fffffff, 0x80000000, 1e300\n",
    "function": "def f(a, b=1, *c, **d):\n    'Doc.'\n    return a + b\n",
    "nested": "def f():\n    x = 1\n    def g():\n        return x\n    return g\n",
    "lambda": "f = lambda x, y=(1, (2, 3)): x or y\n",
    "class": "class C(object):\n    'Doc.'\n    a = 1\n    def m(self):\n        return self.a\n",
    "loop": "for i in range(3):\n    while i:\n        i -= 1\n        continue\n    else:\n        break\n",
    "comprehension": "x = [i for i in range(3) if i]\ny = {i: 1 for i in x}\n",
    "generator": "def g(n):\n    for i in range(n):\n        yield i, None\n",
    "try": "try:\n    f()\nexcept (ValueError, KeyError) as e:\n    g(e)\nfinally:\n    h()\n",
    "with": "with open('x') as f, f:\n    f.read()\n",
    "imports": "import os.path as p, sys\nfrom os import path, sep as s\n",
    "membership": "def f(x):\n    return x in {1, 'two', 3.0} or x in (1, 2)\n",
    "decorator": "@f\n@g.h(1)\ndef k(): pass\n",
    "slices": "x = y[1:2], y[::3], y[...]\n",
    "docstring": "'''Of the module.'''\nassert x, 'message'\n",
    "shared": "def f(x):\n    repr(x)\n    eval(x)\ndef g(x):\n    return repr(x), eval\n",
    "global": "def f():\n    global x, y\n    x = y = -1\n    del x\n",
    "strings twice": "a = 'hello world', 'hello world'\nb = 'hello_world', 'hello_world'\n",
    "conditions": "x = a if b and not c else (d < e <= f != g)\n",
}
