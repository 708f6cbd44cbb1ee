"""ISO 4217: which currency codes exist and how many decimals their minor unit has.

Checked against the list as of February 2026. The standard's own exponents hold, not those of
CLDR, which says how people *print* prices (AFN 0, ISK 0 …), not what a minor unit is.
"""

from collections.abc import Mapping
from typing import Final

_TWO_DECIMALS: Final = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
    PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS: Final = "CLF UYW"

ACTIVE_EXPONENTS: Final[Mapping[str, int]] = {
    code: exponent
    for codes, exponent in (
        (_TWO_DECIMALS, 2),
        (_NO_DECIMALS, 0),
        (_THREE_DECIMALS, 3),
        (_FOUR_DECIMALS, 4),
    )
    for code in codes.split()
}
"""Active code → decimals of its minor unit (0, 2, 3 or 4).

Codes without a minor unit (metals, XDR and other units of account, XTS, XXX) are left out: no
deal is closed in them, and there is no minor unit to count.
"""

WITHDRAWN_EXPONENTS: Final[Mapping[str, int]] = {
    "ANG": 2,  # 2025, XCG since
    "BGN": 2,  # 2026, EUR since
    "BYR": 0,  # 2016, BYN since
    "CUC": 2,  # 2021, CUP since
    "HRK": 2,  # 2023, EUR since
    "MRO": 2,  # 2018, MRU since
    "SLL": 2,  # 2024, SLE since
    "STD": 2,  # 2018, STN since
    "VEF": 2,  # 2018, VES since
    "ZWL": 2,  # 2024, ZWG since
}
"""Codes withdrawn within the ten years that history may reach back: old deals carry them."""

MINOR_UNIT_EXPONENTS: Final[Mapping[str, int]] = {**ACTIVE_EXPONENTS, **WITHDRAWN_EXPONENTS}
"""Every code a configuration may name → decimals of its minor unit."""
