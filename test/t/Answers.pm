# Answers.pm
#	  Is an answer the one that PostgreSQL gives?  Needs nothing but perl.
#
# An answer is what psql prints with "\pset null NULL", aligned or not.
# double precision may differ by 1e-12 of its value, real by 1e-5: PostgreSQL
# adds in one order or another, and sums of real in real.  Everything else must
# be equal, digit for digit.
#
#     perl Answers.pm TYPES ANSWER EXPECTED      three files; says what differs
#
# TYPES is the output of psql's \gdesc.
package Answers;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(differences);

my %TOLERANCE = ('double precision' => 1e-12, 'real' => 1e-5);

# Rows of fields.
sub rows
{
	return map { [ map { s/^\s+|\s+$//gr } split /\|/, $_, -1 ] }
	  grep { !/^-+(\+-+)*$/ } split /\n/, shift;
}

sub same
{
	my ($type, $x, $y) = @_;
	return 1 if $x eq $y;
	return 0 unless $TOLERANCE{$type};
	return 0 if grep { !/^-?[\d.]+(e[-+]?\d+)?$/ } $x, $y;
	my $size = abs($x) > abs($y) ? abs($x) : abs($y);
	return abs($x - $y) <= $TOLERANCE{$type} * $size;
}

# What differs, as sentences; none if the answers agree.
sub differences
{
	my ($types, $answer, $expected) = @_;
	my @type = map { $_->[1] } rows($types);
	my @answer = rows($answer);
	my @expected = rows($expected);
	my @found;
	push @found, @answer . ' lines, expected ' . @expected if @answer != @expected;
	for my $line (0 .. $#expected)
	{
		last if $line > $#answer;
		my ($got, $want) = ($answer[$line], $expected[$line]);
		push @found, 'line ' . ($line + 1) . ': ' . @$got . ' columns, expected ' . @$want if @$got != @$want;
		for my $column (0 .. $#$want)
		{
			next if same($type[$column] // '', $got->[$column] // '', $want->[$column]);
			push @found, sprintf 'line %d, column %d: %s, expected %s',
			  $line + 1, $column + 1, $got->[$column] // 'nothing', $want->[$column];
		}
	}
	return @found;
}

sub slurp
{
	my ($file) = @_;
	local $/;
	open my $in, '<', $file or die "$file: $!\n";
	return <$in>;
}

unless (caller)
{
	my @found = differences(map { slurp($_) } @ARGV);
	print "$_\n" for @found;
	exit(@found > 0);
}

1;
