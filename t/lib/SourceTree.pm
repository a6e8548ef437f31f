# SourceTree.pm -- what the checks of the tree itself share. They run in the
# project's folder.
package SourceTree;

use strict;
use warnings;

use Exporter   qw(import);
use File::Find ();

our @EXPORT = qw(files slurp code products);

# The files below @places whose paths match $pattern, sorted. A place that is
# missing is the check's failure, not an empty list.
sub files {
    my ($pattern, @places) = @_;
    my @found;
    for my $place (@places) {
        -e $place or die "there is no $place to check\n";
        File::Find::find(
            {
                no_chdir => 1,
                wanted   => sub {
                    push @found, s{^\./}{}r if -f && /$pattern/;
                },
            },
            $place
        );
    }
    return sort @found;
}

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or die "cannot read $path: $!\n";
    local $/;
    return scalar(<$in>) // '';
}

# The C file $path with its comments, and what stands in its strings, blanked.
sub code {
    my ($path) = @_;
    my $text = slurp($path);
    $text =~ s{(/\*.*?\*/)|("(?:\\.|[^"\\\n])*")|('(?:\\.|[^'\\\n])+')}
        {defined $1 ? $1 =~ s/[^\n]+/ /gr : defined $2 ? '""' : "' '"}gesx;
    return $text;
}

# The folder of products.
sub products {
    return $ENV{UP_BUILD} || $ENV{BUILD} || 'build';
}

1;
