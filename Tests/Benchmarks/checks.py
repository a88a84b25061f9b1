#!/usr/bin/env python3
"""Checks the benchmark's own arithmetic and parsing; `make bench` runs it first."""

import unittest

from load import Round, ratio
from report import layout
from system_calls import perf_calls, strace_calls


def rounds(*rates):
    return [Round(rate, 1, 1, 1, 1, 1) for rate in rates]


class Ratio(unittest.TestCase):
    def test_a_ratio_ignores_the_order_within_a_turn(self):
        # Two equal servers. The second one in each turn is slower by a tenth, and the orders alternate.
        self.assertAlmostEqual(ratio(rounds(100, 90, 100, 90), rounds(90, 100, 90, 100)), 1)

    def test_a_ratio_ignores_a_disturbed_turn(self):
        self.assertAlmostEqual(ratio(rounds(200, 200, 5, 5, 200, 200), rounds(100, 100, 100, 100, 100, 100)), 2)


class Layout(unittest.TestCase):
    def test_figures_are_right_aligned(self):
        self.assertEqual(list(layout([("what", "ratio"), ("idle", "1.5 x"), ("a longer name", "10.5 x")])),
                         ["what            ratio", "idle            1.5 x", "a longer name  10.5 x"])


class SystemCalls(unittest.TestCase):
    def test_perf_names_each_call_with_its_number(self):
        self.assertEqual(perf_calls("# started on Mon\n\n5133,,syscalls:sys_enter_pwrite64,900,100.00,,\n"
                                    "0,,syscalls:sys_enter_read,900,100.00,,\n"), {"pwrite64": 5133})

    def test_the_total_and_the_errors_of_strace_are_left_out(self):
        self.assertEqual(strace_calls("% time     seconds  usecs/call     calls    errors syscall\n"
                                      "------ ----------- ----------- --------- --------- ----------------\n"
                                      " 53.52    0.138477         209       661         5 futex\n"
                                      " 37.79    0.097762         149       656           epoll_wait\n"
                                      "100.00    0.236239         179      1317         5 total\n"),
                         {"futex": 661, "epoll_wait": 656})


if __name__ == "__main__":
    unittest.main()
