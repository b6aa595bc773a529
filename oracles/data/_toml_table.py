"""A table of a scenario file: keys that it does not know are refused by name."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class TomlTable(BaseModel):
    """Settings as a TOML table holds them: strict types, known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, content: Any) -> Any:
        known = list(cls.model_fields)
        for key in content if isinstance(content, dict) else ():
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                raise ValueError(f"expected {', '.join(known)}, found {str(key)[:60]!r}{hint}")
        return content
