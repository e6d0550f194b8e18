# 005_many_sites.pl
#	  Two, three and twelve sites; parties that are sites, or others; a
#	  coordinator that is a site and a party itself.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;

my @letters = map { "site$_" } 'a' .. 'l';

my @consortia = (
	{ about => 'two sites', sites => [qw(sitea siteb)], parties => [qw(sitea siteb research)] },
	{ about => 'three sites, three other parties', sites => [qw(sitea siteb sitec)], parties => [qw(one two three)] },
	{ about => 'twelve sites', sites => \@letters, parties => [qw(siteb sitek one)] },
	{
		about => 'a coordinator that is site and party',
		sites => [qw(sitea siteb sitec)],
		parties => [qw(sitec sitea siteb)],
		coordinator => 'siteb'
	});

for my $consortium (@consortia)
{
	my $about = delete $consortium->{about};
	my @sites = @{ $consortium->{sites} };
	my $c = Secmed->new(%$consortium, one_cluster => 1, conf => 'max_connections = 400');
	my $sites = @sites;

	# Row i is at site i modulo their number; the last site has no woman.
	$c->create_pooled;
	my $rows = "SELECT i AS id, CASE WHEN i % $sites = $sites - 1 THEN 'm' ELSE chr(ascii('f') + 7 * (i / $sites % 2)) END AS sex,
		i / $sites % 3 = 1 AS smoker, i * 37 % 101 AS x, nullif(i * 91 % 103, 7) / 4.0 AS y, sqrt(i) AS z
		FROM generate_series(1, 4000) i";
	for my $k (0 .. $#sites)
	{
		$c->run($sites[$k], "CREATE TABLE people AS SELECT * FROM ($rows) r WHERE id % $sites = $k;
			ALTER TABLE people ADD PRIMARY KEY (id), ALTER sex SET NOT NULL, ALTER smoker SET NOT NULL");
	}
	$c->pooled("CREATE TABLE people AS $rows");
	$c->pooled_view('people', 'people');
	$c->publish('people', 'people', q{patient => 'id', min_patients => 5, domains => '{"sex": ["f", "m"]}'});
	$c->import_tables;

	$c->same_answer('SELECT count(*), sum(x), avg(y), stddev(x), sum(z) FROM consortium.people', "$about: a total");
	$c->same_answer('SELECT sex, smoker, count(*), corr(x, y), regr_slope(y, x)
		FROM consortium.people GROUP BY sex, smoker ORDER BY sex, smoker', "$about: groups");
	$c->same_answer("SELECT count(*), bool_or(x > 50) FROM consortium.people WHERE sex = 'f' AND z > 30",
		"$about: a filter");

	my $coordinator = $c->{coordinator};
	my $run = $c->last_run($coordinator);
	my @silent = grep { !$c->audit($_, 'seq', "run = '$run' AND kind = 'outcome'") } @{ $c->{nodes} };
	is("@silent", '', "$about: every node has it on record");
	$c->ledger_is_whole($_) for @{ $c->{nodes} };
	$c->remove;
}

done_testing();
