"""What goes back: the policy's proposal, or with a reason something else. Shared by canceling and no-show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bedside.core import flags
from bedside.core.money import Money, format_money
from bedside.flows.cancel import MAX_REASON, Give
from bedside.web.desk.money_field import MoneyField


class GiveForm(forms.Form):
    """``give`` once it is valid. ``left`` is what can go back at most."""

    what = forms.ChoiceField(label=gettext_lazy("What goes back"), widget=forms.RadioSelect, initial="proposal")
    amount = MoneyField(
        label=gettext_lazy("Amount"), required=False, help_text=gettext_lazy("Only for another amount.")
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Kept with the appointment and its activity log; the patient doesn't see it."),
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in a few words: whoever looks at this later will ask.")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, left: Money, proposal: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.left = left
        what, amount = self.fields["what"], self.fields["amount"]
        assert isinstance(what, forms.ChoiceField)
        assert isinstance(amount, MoneyField)
        amount.currency = left.currency
        what.required = False
        choices = [("proposal", proposal)]
        if left:
            said = {"left": format_money(left)}
            choices.append(("full", _("%(left)s back to the card") % said))
            if flags.enabled("partial-refunds"):
                choices.append(("refund", _("Another amount back to the card")))
            if flags.enabled("credits"):
                choices.append(("credit", _("A credit of %(left)s for another visit") % said))
            choices.append(("nothing", _("Nothing")))
        if not (left and flags.enabled("partial-refunds")):
            del self.fields["amount"]
        what.choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("what") == "refund" and "amount" not in self.errors:
            amount = data.get("amount")
            if amount is None or amount.minor_units <= 0:
                self.add_error("amount", _("Enter an amount above zero."))
            elif amount > self.left:
                self.add_error("amount", _("At most %(left)s is left to refund.") % {"left": format_money(self.left)})
        return data

    @property
    def give(self) -> Give:
        what = self.cleaned_data.get("what") or "proposal"
        if what in {"full", "credit"}:
            return Give("credit" if what == "credit" else "refund", self.left)
        if what == "refund":
            return Give("refund", self.cleaned_data["amount"])
        return Give("nothing") if what == "nothing" else Give()


def money_said(give: Give, back: Money, *, by_hand: bool = False) -> str:
    """The consequence for the money, in a sentence."""
    if not back:
        return _("Nothing goes back to the patient.")
    if give.kind == "credit":
        return _("The patient gets a credit of %(amount)s for another visit.") % {"amount": format_money(back)}
    said = _("You hand %(amount)s back yourself.") if by_hand else _("%(amount)s goes back to the card.")
    return said % {"amount": format_money(back)}
