"""Every test here may carry a marketplace of its own to figures."""

from tests.integration.pipelines.conftest import folder, market, opened, pipeline, sandbox

__all__ = ["folder", "market", "opened", "pipeline", "sandbox"]
