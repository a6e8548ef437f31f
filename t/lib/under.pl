#!/usr/bin/perl
# under.pl TEST -- runs a C test under valgrind, any other as it is.
use strict;
use warnings;

use FindBin ();

my ($test) = @ARGV;
exec $^X, $test unless -B $test;

# What is "possibly lost" counts not: LMDB keeps pointers into the middle of its
# blocks, and a child of a test ends, as a server's does, with its store open.
exec qw(valgrind -q --error-exitcode=99 --leak-check=full
    --show-leak-kinds=definite --errors-for-leak-kinds=definite),
    "--suppressions=$FindBin::RealBin/valgrind.supp", $test;
