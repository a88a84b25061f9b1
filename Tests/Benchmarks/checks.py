#!/usr/bin/env python3
"""Checks the benchmark's own arithmetic and parsing; `make bench` runs it first."""

import unittest

from load import Round, ratio
from report import layout


def rounds(*rates):
    return [Round(rate, 1, 1, 1, 1, 1) for rate in rates]


class Ratio(unittest.TestCase):
    def test_what_the_order_makes_is_not_in_a_ratio(self):
        # Equal servers, of which the second of a turn is slower by a tenth; the orders alternate.
        self.assertAlmostEqual(ratio(rounds(100, 90, 100, 90), rounds(90, 100, 90, 100)), 1)

    def test_a_turn_that_something_disturbed_is_not_in_a_ratio(self):
        self.assertAlmostEqual(ratio(rounds(200, 200, 5, 5, 200, 200), rounds(100, 100, 100, 100, 100, 100)), 2)


class Layout(unittest.TestCase):
    def test_figures_end_below_each_other(self):
        self.assertEqual(list(layout([("what", "ratio"), ("idle", "1.5 x"), ("a longer name", "10.5 x")])),
                         ["what            ratio", "idle            1.5 x", "a longer name  10.5 x"])


if __name__ == "__main__":
    unittest.main()
