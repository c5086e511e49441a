from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "bedside.flows"
    label = "flows"

    def ready(self) -> None:
        from bedside.flows import bulk_jobs, close, facts, reactions, receipt_mail, reconcile_jobs  # noqa: F401  # jobs are found

        facts.register()
        reactions.register()
        receipt_mail.register()
