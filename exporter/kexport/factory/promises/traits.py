"""Traits: properties of a function other than its contracts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """Properties of a function other than its contracts; False or None where unknown.

    Attributes:
        identity: it returns its input.
        rearranges: it returns the elements of its input in another arrangement.
        pointwise: each output element depends on the input element at its place alone, by one function for all.
        by_item: it acts alike on everything along any axis but the last.
        linear: it is linear.
        affine: it is linear plus a constant.
        nondecreasing: it is nondecreasing in every element.
        convex: every output element is a convex function of the input.
        lipschitz: a constant that holds in the 1-norm, the 2-norm and the maximum norm.
    """

    identity: bool = False
    rearranges: bool = False
    pointwise: bool = False
    by_item: bool = False
    linear: bool = False
    affine: bool = False
    nondecreasing: bool = False
    convex: bool = False
    lipschitz: float | None = None

    def after(self, inner: Traits) -> Traits:
        """The traits of this function applied to the output of another one."""
        both = {
            name: getattr(self, name) and getattr(inner, name)
            for name in ("identity", "pointwise", "by_item", "linear", "affine", "nondecreasing")
        }
        constant = None
        if self.lipschitz is not None and inner.lipschitz is not None:
            constant = self.lipschitz * inner.lipschitz
        rising = self.nondecreasing and self.pointwise
        convex = self.convex and (inner.affine or (rising and inner.convex))
        arranged = (self.rearranges or self.identity) and (inner.rearranges or inner.identity)
        return Traits(**both, rearranges=arranged, convex=convex, lipschitz=constant)


IDENTITY = Traits(True, True, True, True, True, True, True, True, 1.0)
NOTHING = Traits()
