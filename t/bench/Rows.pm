# Rows.pm -- which rows the benchmark measures, in which order. They are in
# groups, one function each, in Rows/.
package Rows;

use strict;
use warnings;

use Exporter qw(import);

use Rows::Bulk;
use Rows::Peers;
use Rows::Reads;
use Rows::Server;
use Rows::Writes;
use Stage;

our @EXPORT = qw(measure_rows);

# A group's name, its function, which gets the server, and when it is measured:
# "quick", "all" or "full", each also in what comes after it. PUTs that change
# nothing need a store that nothing has changed: "unchanged" comes before every
# group that does.
my @GROUPS = (
    [get       => \&gets,             'quick'],
    [checks    => \&checks,           'all'],
    [unchanged => \&puts_of_the_same, 'quick'],
    [grpc      => \&grpc,             'quick'],
    [change    => \&puts,             'quick'],
    [calls     => \&calls,            'quick'],
    [many      => \&many_puts,        'quick'],
    [import    => \&import_beside,    'all'],
    [growth    => \&growth,           'all'],
    [postgres  => \&postgres,         'all'],
    [pgstore   => \&pgstore,          'all'],
    [openldap  => \&openldap,         'all'],
    [children  => \&children,         'all'],
    [memory    => \&memory,           'full'],
);

# Whether the group is asked for: by its name, or by none being named.
sub is_wanted {
    my ($name, $when) = @_;
    return $Stage::WANTED{$name} if %Stage::WANTED;
    return $when eq 'quick' || $when eq 'all' && !$QUICK || $FULL && !$QUICK;
}

# Measure all rows that are asked for, in the folder $SCRATCH.
sub measure_rows {
    ($SCRATCH) = @_;
    my %known = map { $_->[0] => 1 } @GROUPS, ['bulk'];
    for my $name (sort keys %Stage::WANTED) {
        die "there is no group of rows '$name': quick, or some of "
            . join(' ', sort keys %known), "\n"
            unless $known{$name};
    }

    imports() if is_wanted(bulk => 'quick');
    make_store("$SCRATCH/store", $USERS) unless -e "$SCRATCH/store";
    settle("$SCRATCH/store");
    learn_answers();
    my $server = server('queue');
    for my $group (@GROUPS) {
        my ($name, $measure, $when) = @$group;
        $measure->($server) if is_wanted($name, $when);
    }
    $server->stop;
}

1;
