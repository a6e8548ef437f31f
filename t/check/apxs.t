# apxs.t -- make asks the apxs that it is given, and does without none.
use strict;
use warnings;

use File::Temp ();
use Test::More;
use Time::HiRes qw(stat);
use SourceTree;

# Of the make that runs this.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL)};

my $folder = File::Temp->newdir('apxs-XXXXXX', TMPDIR => 1);
my $build  = "$folder/build";

# What make says with @variables, and its exit status.
sub make {
    my (@variables) = @_;
    my $said = `make BUILD=$build @variables $build/flags 2>&1`;
    return ($? >> 8, $said);
}

# Write an apxs that answers with its own name and the question.
sub other_apxs {
    my ($name) = @_;
    my $file = "$folder/$name";
    open my $out, '>', $file or die "cannot write $file: $!\n";
    print $out qq(#!/bin/sh\necho "/$name/\$2"\n);
    close $out;
    chmod 0755, $file or die "chmod $file: $!\n";
    return $file;
}

my ($status, $said) = make("APXS=$folder/none");
isnt($status, 0, 'without apxs make fails');
like($said, qr/^cannot build: '\Q$folder\E\/none -q INCLUDEDIR' fails$/m,
    '... with a sentence');
ok(!-e "$build/config.mk", '... and keeps nothing');

for my $name (qw(one two)) {
    ($status, $said) = make('APXS=' . other_apxs($name));
    is($status, 0, 'with an apxs it goes on') or diag($said);
    like(slurp("$build/config.mk"), qr{^LIBEXECDIR = /$name/LIBEXECDIR$}m,
        '... with what that one says');
}

my $before = (stat "$build/config.mk")[9];
is((make("APXS=$folder/two"))[0], 0, 'with the same one again');
is((stat "$build/config.mk")[9], $before, '... it is not asked again');

done_testing;
