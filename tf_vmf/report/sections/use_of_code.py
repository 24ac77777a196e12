"""The use of a model's latent space by its codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tf_vmf.measures import ACTIVE_VARIANCE
from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.engine.run import CodeUse, Latent
from tf_vmf.report.page import plots
from tf_vmf.report.page.page import Block, Image, Row, Section, Text
from tf_vmf.report.section import ReportSection

# A mean KL below this, in nats, is no code at all.
COLLAPSED = 0.05


@dataclass(frozen=True, eq=False)
class UseOfCode(ReportSection):
    """Variance of each dimension; where they differ by example, the spread of KL and concentration."""

    latent: Latent  # the latent variable
    use: CodeUse  # variances, KLs and concentrations of the test split
    noun: str  # what an example is called

    @classmethod
    def find(cls, context: DocumentContext | SentenceContext) -> Self | None:
        return None if context.latent is None else cls(context.latent, context.code_use, context.noun)

    def render(self) -> Section:
        noun = self.noun
        learned = self.latent.description.prior
        relative = (
            f" The prior of this run is a {learned}; variances are relative to the fixed prior that it replaces."
            if learned
            else ""
        )
        images = [
            Image(
                plots.active_units(self.use.variances, reference="in the fixed prior" if learned else "in the prior"),
                f"How much each dimension of the code varies over test {noun}s. {self.use.active_units} of "
                f"{self.latent.latent_dim} dimensions "
                f"are active: they vary by more than {ACTIVE_VARIANCE}. None would mean that the code has collapsed.{relative}",
            )
        ]
        if self.use.concentration is not None:
            images.append(
                Image(
                    plots.histogram(self.use.concentration, "concentration", counted=f"{noun}s"),
                    f"Learned concentration of test {noun}s. Higher means that the encoder is more certain of the code.",
                )
            )
        if not self.use.constant_kl:
            images.append(
                Image(
                    plots.histogram(self.use.kl, "KL, nats", counted=f"{noun}s"),
                    f"KL of test {noun}s, the cost of their codes.{self._length()}",
                )
            )
        blocks: list[Block] = [Text(self._constant_kl())] if self.use.constant_kl else []
        return Section("Use of the code", [*blocks, Row(images)])

    def _length(self) -> str:
        noun = self.noun
        correlation = self.use.length_correlation
        if abs(correlation) >= 0.2:
            more, less = ("Longer", "shorter") if correlation > 0 else ("Shorter", "longer")
            return (
                f" {more} {noun}s tend to cost more than {less} ones (rank correlation with length: {correlation:.2f})."
            )
        return ""

    def _constant_kl(self) -> str:
        noun = self.noun
        mean = float(self.use.kl.mean())
        if self.latent.description.constant_kl:
            return (
                f"The concentration is fixed, so every {noun} costs the same KL, {mean:.2f} nats. Training cannot reduce it, not "
                f"for short {noun}s either."
            )
        if self.latent.description.shared_spread and mean >= COLLAPSED:
            return f"One concentration was learned for all {noun}s together, so every {noun} costs the same KL, {mean:.2f} nats."
        if mean < COLLAPSED:
            return (
                f"Every {noun} has the same KL, {mean:.3f} nats, although the uncertainty is learned: the code has collapsed to "
                "the prior and tells the decoder next to nothing."
            )
        return (
            f"Every {noun} has the same KL, {mean:.3f} nats, although the uncertainty is learned: the encoder is equally certain "
            f"of every {noun}. It may have reached the smallest or largest uncertainty that the model allows."
        )
