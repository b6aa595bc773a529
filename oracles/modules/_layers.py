"""What the built-in modules are made of: a layer's parameters."""

from typing import Any

import flax.linen as nn


def weights(module: nn.Module, name: str, out: int, into: int) -> tuple[Any, Any]:
    """Kernel ``[out, in]`` and bias ``[out]``, initialised as flax.linen initialises its layers."""
    return (
        kernel_alone(module, name, out, into),
        module.param(f"bias_{name}", nn.initializers.zeros, (out,)),
    )


def kernel_alone(module: nn.Module, name: str, out: int, into: int) -> Any:
    """Kernel ``[out, in]`` of a layer without a bias."""
    initializer = nn.initializers.lecun_normal(in_axis=1, out_axis=0)
    return module.param(f"kernel_{name}", initializer, (out, into))
