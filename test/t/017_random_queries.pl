# 017_random_queries.pl
#	  Random queries over shared tables: what PostgreSQL says on the same rows in
#	  the clear, and nothing else.
#
# A seed is a set of tables with rows and 50 queries, or 25 (Queries.pm).  Seeds 1 to 6,
# and those that once found a fault; more, and new ones each time, with SECMED_LONG.
# SECMED_SEED=n runs that one alone.  Every third seed has tables whose smallest group is 3 patients.  Of
# every third pair of seeds the tables of patients are rows of the sites, and their smallest group 2 or 3.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Queries;
use Secmed;
use Test::More;

my $QUERIES = 50;
my $REFUSED_MAX = 0.1;			# a larger share of refused queries tests too little
my $JOIN_ROWS = 700;

my @found = (781815);
my @seeds = (1 .. ($ENV{SECMED_LONG} ? 60 : 6), @found, map { 1000 + int rand 1e6 } 1 .. ($ENV{SECMED_LONG} ? 10 : 0));
@seeds = ($ENV{SECMED_SEED}) if $ENV{SECMED_SEED};

my @parties = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@parties, one_cluster => 1, conf => "fsync = off\n");
my $cluster = $c->{cluster}{research};
$c->create_pooled;
$c->run($_, "SELECT secmed.allow_shared('research')") for @parties;
my ($ret, $out, $err) = $c->ask("CREATE SERVER consortium FOREIGN DATA WRAPPER secmed
	OPTIONS (sites 'charite, lmu, gemelli', parties 'charite, lmu, gemelli')");
is($ret, 0, 'a server of three parties') or diag $err;

# Statements at once; of each what it prints, its SQLSTATE and its messages.
sub run_all
{
	my ($database, @statements) = @_;
	my $script = "SET search_path = consortium;\nSET client_min_messages = warning;\n" . join '', map { "$_;\n\\echo === :SQLSTATE\n\\warn ===\n" } @statements;
	my ($ret, $out, $err) = $cluster->psql($database, $script,
		connstr => $cluster->connstr($database) . ($database eq 'pooled' ? '' : ' user=alice'),
		on_error_stop => 0, timeout => 300, extra_params => [ '-P', 'null=NULL', '-v', 'VERBOSITY=verbose' ]);
	my @answers;
	while ($out =~ /\G(.*?)=== (\w+)\n?/gs)
	{
		my ($rows, $state) = ($1, $2);
		push @answers, { rows => [ $rows =~ /(.*)\n/g ], state => $state };
	}
	my @messages = split /===\n?/, $err;
	$answers[$_]{messages} = $messages[$_] // '' for 0 .. $#answers;
	return @answers;
}

sub same_value
{
	my ($got, $want, $float) = @_;
	return 1 if $got eq $want;
	return 0 if !$float || grep { !/^-?[\d.]+(e[-+]?\d+)?$/ } $got, $want;
	my $size = abs($got) > abs($want) ? abs($got) : abs($want);
	return abs($got - $want) <= 1e-9 * $size;
}

# less: some of it may be withheld
sub same_row
{
	my ($float, $got, $want, $less) = @_;
	my @got = split /\|/, $got, -1;
	my @want = split /\|/, $want, -1;
	return @got == @want && !grep { !same_value($got[$_], $want[$_], $float->[$_]) && !($less && $got[$_] eq 'NULL') } 0 .. $#want;
}

# Lists if they are ordered, else sets: each row has another one that is the same.
sub same_rows
{
	my ($query, $got, $want) = @_;
	return 0 if @$got != @$want;
	return !grep { !same_row($query->{float}, $got->[$_], $want->[$_]) } 0 .. $#$want if $query->{ordered};
	my @left = @$want;
	for my $row (@$got)
	{
		my ($at) = grep { same_row($query->{float}, $row, $left[$_]) } 0 .. $#left;
		return 0 if !defined $at;
		splice @left, $at, 1;
	}
	return 1;
}

my ($asked, $refused, $with_rows) = (0, 0, 0);

# Groups of public values come whether they are there or not: the last column is how many rows they have.  More
# of them are withheld than small ones, so that nobody subtracts; then it is enough that what comes is right.
sub same_sums
{
	my ($query, $got, $want) = @_;
	my ($came, $there) = map { [ grep { !/\bNULL$/ } @$_ ] } $got, $want;
	return 1 if same_rows($query, $came, $there);
	my ($plan) = run_all('research', "EXPLAIN (COSTS off) $query->{shared}");
	# Of groups that sites make, those who add nothing to a sum do not count for it: it may be withheld, not the group.
	my $merged = grep { /merge groups/ } @{ $plan->{rows} };
	return 0 if $merged && @$came != @$there;
	return 0 if !$merged && ($query->{shared} !~ /GROUP BY \d/ || grep { /Oblivious Plan/ } @{ $plan->{rows} });
	return !grep { my $row = $_; !grep { same_row($query->{float}, $row, $_, 1) } @$there } @$came;
}

# What is wrong with an answer, or nothing.
sub judge
{
	my ($query, $got, $want) = @_;
	return "PostgreSQL: $want->{messages}" if $want->{state} ne '00000';
	if ($got->{state} eq 'SM002' || $got->{state} eq 'SM001')
	{
		$refused++;
		return $got->{messages} =~ /^DETAIL: /m ? '' : "refused without a reason: $got->{messages}";
	}
	return $got->{messages} || "no answer: the session ended" if $got->{state} ne '00000';
	$with_rows++ if grep { /[^|NUL0]/ } @{ $want->{rows} };
	return '' if $query->{of_sites} ? same_sums($query, $got->{rows}, $want->{rows}) : same_rows($query, $got->{rows}, $want->{rows});
	return join "\n", 'got:', @{ $got->{rows} }, 'expected:', @{ $want->{rows} };
}

# What the planner knows to be empty is nobody asked about, and nothing of it is withheld.
sub judge_unasked
{
	my ($query, $got) = @_;
	my ($plan) = run_all('research', "EXPLAIN (COSTS off) $query->{shared}");
	return 'nothing explains it' if $plan->{state} ne '00000' || grep { /Foreign Scan/ } @{ $plan->{rows} };
	my ($want) = run_all('pooled', $query->{shared});
	return judge($query, $got, $want);
}

sub run_seed
{
	my ($seed) = @_;
	srand $seed;
	my $partitioned = $seed % 6 >= 4;
	my $tables = Queries->new(smallest => $partitioned ? 2 + $seed % 2 : $seed % 3 == 0 ? 3 : 1, partitioned => $partitioned);
	my @queries = map { $tables->query } 1 .. ($partitioned ? $QUERIES / 2 : $QUERIES);
	my $drop = 'DROP %s IF EXISTS p, v, d';
	$c->run($parties[$_], $tables->site($_, scalar @parties)) for $partitioned ? (0 .. $#parties) : ();
	my @shared = run_all('research', sprintf($drop, 'FOREIGN TABLE') . ";\n" . $tables->definitions('shared')
		  . $tables->rows($partitioned ? 'd' : qw(p v d)) . "SET secmed.join_rows = $JOIN_ROWS", map { $_->{shared} } @queries);
	my @clear = run_all('pooled', sprintf($drop, 'TABLE') . ";\n" . $tables->definitions('clear') . $tables->rows(qw(p v d)),
		map { $_->{clear} } @queries);
	my @setup = map { (shift @$_)->{messages} } \@shared, \@clear;
	my $wrong = 0;
	diag "SECMED_SEED=$seed: @setup" and $wrong++ if grep { /ERROR/ } @setup;
	for my $i (0 .. $#queries)
	{
		$asked++;
		my @answers = map { $_->[$i] // { state => '', messages => '' } } \@shared, \@clear;
		my $found = judge($queries[$i], @answers) || next;
		next if $tables->{smallest} > 1 && $answers[0]{state} eq '00000' && !judge_unasked($queries[$i], $answers[0]);
		$wrong++;
		diag "SECMED_SEED=$seed, query " . ($i + 1) . ":\n$queries[$i]{shared};\n"
		  . ($queries[$i]{clear} ne $queries[$i]{shared} ? "in the clear:\n$queries[$i]{clear};\n" : '') . $found;
	}
	is($wrong, 0, "SECMED_SEED=$seed: " . @queries . ' queries');
}

run_seed($_) for @seeds;
note "$asked queries, $refused refused, $with_rows with something in the answer";
if (!$ENV{SECMED_SEED})
{
	cmp_ok($refused, '<=', $REFUSED_MAX * $asked, 'few are refused');
	cmp_ok($with_rows, '>=', 0.4 * $asked, 'many have an answer that is not empty');
}
done_testing();
