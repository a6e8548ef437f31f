#!/usr/bin/perl
# under.pl TEST -- runs a C test under valgrind, any other as it is.
use strict;
use warnings;

my ($test) = @ARGV;
exec $^X, $test unless -B $test;
exec qw(valgrind -q --error-exitcode=99 --leak-check=full), $test;
