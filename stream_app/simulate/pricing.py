"""What a deal is worth: amounts, currencies, costs and lines."""

from random import Random
from typing import Final

from stream_app.domain.currencies import MINOR_UNIT_EXPONENTS
from stream_app.simulate.company import RATES, Company, Product
from stream_app.simulate.entities import Deal
from stream_app.simulate.spelling import amount_text

_WITH_LINES: Final = 0.2
_WITH_COST: Final = 0.55
_WITHOUT_AMOUNT: Final = 0.03
_AS_NUMBER: Final = 0.03
_WITH_FRACTIONS: Final = 0.01
_CURRENCY_SAID: Final = 0.5
_AMOUNT_BESIDE_LINES: Final = 0.5
_CENTS: Final = 2


class Pricing:
    """Draws the size of deals and spells it in the forms the contract allows."""

    def __init__(self, rng: Random, company: Company, *, lines: bool) -> None:
        self._rng = rng
        self._company = company
        self._lines = lines
        self._business = company.currencies[0]

    def size(self, deal: Deal) -> dict[str, object]:
        """Give the deal its currency and amount; return the fields that say so."""
        rng = self._rng
        chance = rng.random
        company = self._company
        currency = company.currencies[int(chance() * len(company.currencies))]
        product = company.products[int(chance() * len(company.products))]
        deal.currency = currency
        deal.amount_minor = self._minor(product, currency)
        data: dict[str, object] = {}
        if currency != self._business or chance() < _CURRENCY_SAID:
            data["currency"] = currency
        if self._lines and chance() < _WITH_LINES:
            data["lines"] = self._bill(deal, product)
            if chance() < _AMOUNT_BESIDE_LINES:  # otherwise it is the lines' sum
                data["amount"] = self.amount(deal)
            return data
        data["product_line"] = product.name
        if chance() > _WITHOUT_AMOUNT:
            data["amount"] = self.amount(deal)
            if chance() < _WITH_COST:
                data["cost"] = self.cost(deal)
        return data

    def _minor(self, product: Product, currency: str) -> int:
        rate = float(RATES.get(currency, "1"))
        major = product.price * self._rng.lognormvariate(0.0, 0.7) / rate
        return max(1, round(major * 10.0 ** MINOR_UNIT_EXPONENTS[currency]))

    def _bill(self, deal: Deal, product: Product) -> list[dict[str, object]]:
        """Return two or three lines, of which some say a cost; their sum is the amount."""
        rng = self._rng
        exponent = MINOR_UNIT_EXPONENTS[deal.currency]
        others = [other for other in dict.fromkeys(self._company.products) if other != product]
        chosen = [product, *rng.sample(others, 1 + int(rng.random() * 2))]
        deal.amount_minor = 0
        lines = []
        for sold in chosen:
            minor = self._minor(sold, deal.currency)
            deal.amount_minor += minor
            line: dict[str, object] = {
                "product_line": sold.name,
                "amount": amount_text(minor, exponent),
            }
            if rng.random() < _WITH_COST:
                line["cost"] = amount_text(round(minor * rng.uniform(0.3, 0.7)), exponent)
                deal.costed = True
            lines.append(line)
        return lines

    def amount(self, deal: Deal) -> object:
        """Return the deal's amount as a decimal string, now and then as a JSON number.

        One in a hundred has four decimals, so that rounding half-even is exercised.
        """
        draw = self._rng.random()
        exponent = MINOR_UNIT_EXPONENTS[deal.currency]
        if draw < _AS_NUMBER:
            whole = deal.amount_minor // 10**exponent
            deal.amount_minor = whole * 10**exponent
            return whole
        text = amount_text(deal.amount_minor, exponent)
        if draw > 1 - _WITH_FRACTIONS and exponent == _CENTS:
            return text + ("50" if draw > 1 - _WITH_FRACTIONS / 2 else "37")
        return text

    def cost(self, deal: Deal) -> str:
        """Return a cost of 30 to 70 % of the amount; it counts as said."""
        deal.costed = True
        minor = round(deal.amount_minor * self._rng.uniform(0.3, 0.7))
        return amount_text(minor, MINOR_UNIT_EXPONENTS[deal.currency])

    def haggle(self, deal: Deal, low: float = 0.7, high: float = 1.15) -> object:
        """Change the deal's amount by a factor between these and return it."""
        deal.amount_minor = round(deal.amount_minor * self._rng.uniform(low, high))
        return self.amount(deal)

    def credit(self, deal: Deal) -> str:
        """Turn the deal's amount into a tenth of it, negative: a credit note."""
        deal.amount_minor = -max(1, abs(deal.amount_minor) // 10)
        return amount_text(deal.amount_minor, MINOR_UNIT_EXPONENTS[deal.currency])
