# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataclasses to plain JSON data and back, so that a platform can travel between tasks."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, TypeVar

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

T = TypeVar("T")


def encode(value: Any) -> Any:
    """Dataclasses, tuples and dictionaries as JSON data (lists, dictionaries, scalars)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], data: Any, path: str = "") -> T:
    """An instance of the dataclass C(kind) from JSON data; missing keys take their defaults.

    Raises L(MainstayError) with the path of an unknown key: data that was written by a newer
    version must not be read halfway.
    """
    return typing.cast(T, _decode(kind, data, path or kind.__name__))


def _decode(kind: Any, data: Any, path: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, data, path)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        none = type(None)
        inner = [a for a in arguments if a is not none]
        return None if data is None else _decode(inner[0], data, path)
    if origin is tuple:
        return tuple(_decode(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(data))
    if origin is list:
        return [_decode(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(data)]
    if origin is dict:
        return {str(k): _decode(arguments[1], v, f"{path}.{k}") for k, v in data.items()}
    if kind is float and isinstance(data, int):
        return float(data)
    if kind is str and data is not None:
        return str(data)
    return data


def _decode_dataclass(kind: Any, data: Any, path: str) -> Any:
    if not isinstance(data, dict):
        raise MainstayError(
            "not an object", subject=path, found=type(data).__name__, expected="a dictionary"
        )
    hints = typing.get_type_hints(kind)
    names = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(data) - names)
    if unknown:
        raise MainstayError(
            "unknown key",
            subject=path,
            found=", ".join(unknown),
            expected=", ".join(sorted(names)),
            next_step="the data was written by another version of the collection; use that version",
        )
    return kind(**{k: _decode(hints[k], v, f"{path}.{k}") for k, v in data.items()})
