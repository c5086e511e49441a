"""Model fields for personal data: sealed at rest, found through a blind index."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from bedside.core import crypto


class EncryptedTextField(models.Field):  # type: ignore[type-arg]
    """Text that the database only ever sees sealed. Reads and writes ``str``; look up through a `BlindIndexField`."""

    def get_internal_type(self) -> str:
        return "BinaryField"

    @property
    def context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.name}"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else crypto.decrypt(bytes(value), self.context)

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> bytes | None:
        return None if value is None else crypto.encrypt(str(value), self.context)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        sealed = value if prepared else self.get_prep_value(value)
        return None if sealed is None else connection.Database.Binary(sealed)

    def value_to_string(self, obj: models.Model) -> str:
        return ""

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is sealed: look it up through its blind index")
        return super().get_lookup(lookup_name)


class BlindIndexField(models.BinaryField):  # type: ignore[type-arg]
    """The keyed hash of another field, filled in at each save. ``kind`` says how values are normalized."""

    def __init__(self, *, source: str, kind: str, **kwargs: Any) -> None:
        self.source, self.kind = source, kind
        kwargs.setdefault("null", True)
        kwargs.setdefault("max_length", 16)
        super().__init__(**kwargs)

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        value = getattr(model_instance, self.source)
        index = crypto.blind_index(self.kind, value) if value else None
        setattr(model_instance, self.attname, index)
        return index

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source, "kind": self.kind}
