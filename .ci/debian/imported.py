"""Prints the files of all modules that the program imports, one a line; the package has them compiled."""

import importlib
import pkgutil
import sys

import idiolect.adapters
import idiolect.daemon
import idiolect.models

for part in (idiolect.models, idiolect.adapters, idiolect.daemon):
    for module in pkgutil.walk_packages(part.__path__, f"{part.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
for name in (
    "onnx",
    "onnxruntime",
    "torch._dynamo",
    "torch.optim",
):  # functions import these when they need them
    importlib.import_module(name)
files = {module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
print("\n".join(sorted(name for name in files if name.startswith("/") and name.endswith(".py"))))
