# 001_demo_consortium.pl
#	  The demo's consortium: every aggregate equals PostgreSQL's on the pooled
#	  rows and R's, and every node has it on record.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals);
$c->load_lung;
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->import_tables;

# Every aggregate as on the pooled rows -------------------------------------

my @alike = (
	'the query of the README' => 'SELECT sex, count(*), avg(age), stddev(age), corr(age, time)
		FROM consortium.trial WHERE ph_ecog <= 1 GROUP BY sex ORDER BY sex',
	'count' => 'SELECT count(*), count(wt_loss), count(meal_cal) FROM consortium.trial',
	'count(DISTINCT patient)' => 'SELECT sex, count(DISTINCT patient_id) FROM consortium.trial GROUP BY sex ORDER BY sex',
	'sum of integer and smallint' => 'SELECT sum(wt_loss), sum(ph_karno), sum(time) FROM consortium.trial',
	'sum of bigint and numeric' => 'SELECT sum(time::bigint * 1000000007), sum(age / 7.0) FROM consortium.trial',
	'sum of real and double precision' =>
	  'SELECT sum(age::real / 3), sum(sqrt(time::float8)), avg(ln(age::float8)) FROM consortium.trial',
	'avg' => 'SELECT avg(age), avg(wt_loss), avg(ph_karno), avg(age::bigint), avg(age::numeric), avg(age::float8)
		FROM consortium.trial',
	'variance of integers' => 'SELECT variance(age), var_pop(age), var_samp(age), stddev(age), stddev_pop(age), stddev_samp(age)
		FROM consortium.trial',
	'variance of numerics' => 'SELECT variance(age / 3.0), stddev_pop(age / 3.0) FROM consortium.trial',
	'variance of floats' => 'SELECT var_pop(age::float8), stddev_samp(sqrt(time::float8)), stddev(age::real) FROM consortium.trial',
	'covariance and correlation' => 'SELECT covar_pop(wt_loss, age), covar_samp(wt_loss, age), corr(wt_loss, age) FROM consortium.trial',
	'regression' => 'SELECT regr_count(pat_karno, ph_karno), regr_avgx(pat_karno, ph_karno), regr_avgy(pat_karno, ph_karno),
		regr_sxx(pat_karno, ph_karno), regr_syy(pat_karno, ph_karno), regr_sxy(pat_karno, ph_karno),
		regr_slope(pat_karno, ph_karno), regr_intercept(pat_karno, ph_karno), regr_r2(pat_karno, ph_karno) FROM consortium.trial',
	'bool_and, bool_or, every' => 'SELECT sex, bool_and(age > 60), bool_or(age > 60), every(status = 1)
		FROM consortium.trial GROUP BY sex ORDER BY sex',
	'FILTER' => 'SELECT sex, count(*) FILTER (WHERE age >= 65), avg(time) FILTER (WHERE status = 2) FROM consortium.trial
		GROUP BY sex ORDER BY sex',
	'dates and intervals' => q{SELECT sum(make_interval(days => time)), avg(make_interval(days => time)),
		count(*) FILTER (WHERE date '1994-01-01' + time > date '1995-01-01') FROM consortium.trial},
	'two keys and HAVING' => 'SELECT sex, status, count(*), sum(time) FROM consortium.trial GROUP BY sex, status
		HAVING count(*) > 30 ORDER BY sex DESC, status',
	'WHERE with CASE, COALESCE, IN, BETWEEN' => 'SELECT count(*), sum(CASE WHEN sex = 1 THEN time ELSE -time END)
		FROM consortium.trial WHERE coalesce(wt_loss, 0) BETWEEN 0 AND 20 AND inst IN (1, 3, 11, 12, 6)',
	'arithmetic over aggregates' => 'SELECT sex, round(100.0 * sum(status - 1) / count(*), 2) AS percent_dead
		FROM consortium.trial GROUP BY sex ORDER BY percent_dead',
	'ORDER BY an aggregate, LIMIT' => 'SELECT sex, avg(wt_loss) FROM consortium.trial GROUP BY sex ORDER BY avg(wt_loss) LIMIT 1',
	'a join with a local table' => "SELECT name, n FROM (SELECT sex, count(*) AS n FROM consortium.trial GROUP BY sex) t
		JOIN (VALUES (1, 'male'), (2, 'female')) v(code, name) ON code = sex ORDER BY name",
	'a CTE' => 'WITH t AS (SELECT sex, avg(age) AS mean FROM consortium.trial GROUP BY sex) SELECT max(mean) - min(mean) FROM t',
	'nothing but NULLs' => 'SELECT sum(wt_loss), avg(wt_loss), stddev(wt_loss), corr(wt_loss, age)
		FROM consortium.trial WHERE wt_loss IS NULL');

while (my ($about, $query) = splice @alike, 0, 2)
{
	$c->same_answer($query, $about);
}

# Small groups --------------------------------------------------------------

my $by_ecog = 'SELECT ph_ecog, count(*), sum(age) FROM consortium.trial GROUP BY ph_ecog ORDER BY ph_ecog';
$c->same_answer(
	$by_ecog,
	'a group of fewer than five patients is a row of NULLs, and so is one that would give two such back',
	'SELECT ph_ecog, CASE WHEN ph_ecog < 2 THEN count(*) END AS count, CASE WHEN ph_ecog < 2 THEN sum(age) END AS sum
		FROM consortium.trial GROUP BY ph_ecog ORDER BY ph_ecog');
my ($ret, $out, $err) = $c->ask($by_ecog);
like($err, qr/NOTICE.*\b3\b/, 'a notice counts the groups withheld');
$c->same_answer("SET secmed.suppressed = 'omit'; $by_ecog", 'or no row at all',
	'SELECT ph_ecog, count(*), sum(age) FROM consortium.trial WHERE ph_ecog < 2 GROUP BY ph_ecog ORDER BY ph_ecog');
$c->same_answer("SET secmed.suppressed = 'omit'; SELECT ph_ecog, count(*), avg(age) FROM consortium.trial
	WHERE ph_ecog IN (1, 2) GROUP BY ph_ecog ORDER BY ph_ecog", 'a group that one hospital does not have',
	'SELECT ph_ecog, count(*), avg(age) FROM consortium.trial WHERE ph_ecog IN (1, 2) GROUP BY ph_ecog ORDER BY ph_ecog');
($ret, $out, $err) = $c->ask("SET secmed.suppressed = 'error'; $by_ecog");
like($err, qr/SM006/, 'or an error');

# R's figures ---------------------------------------------------------------
#
# R 4.2.2, survival 3.5-3; d <- survival::lung, options(digits = 17).

# Equal to the figures of R within 1e-12 of their size.
sub as_in_r
{
	my ($query, $expected, $about) = @_;
	my ($ret, $answer, $err) = $c->ask($query);
	my @answer = split /[|\n]/, $answer;
	my $agree = @answer == @$expected;
	for my $i (0 .. $#answer)
	{
		$agree &&= abs($answer[$i] - $expected->[$i]) <= 1e-12 * abs($expected->[$i]);
	}
	ok($agree, "R: $about") or diag "$answer\nexpected: @$expected\n$err";
}

# x <- d[d$sex == s & !is.na(d$ph.ecog) & d$ph.ecog <= 1, ]; nrow(x);
# mean(x$age); sd(x$age); cor(x$age, x$time)
as_in_r(
	'SELECT sex, count(*), avg(age), stddev(age), corr(age, time)
		FROM consortium.trial WHERE ph_ecog <= 1 GROUP BY sex ORDER BY sex',
	[ 1, 107, 62.859813084112147, 9.359132960699597, -0.066023789867236296,
		2, 69, 59, 8.1979193917079449, 0.089912779561067857 ],
	'mean, sd, cor by sex');

# nrow(d); mean(d$age); var(d$age); sd(d$time); mean(d$meal.cal, na.rm = TRUE);
# sum(d$wt.loss, na.rm = TRUE); sum(is.na(d$wt.loss))
as_in_r(
	'SELECT count(*), avg(age), variance(age), stddev(time), avg(meal_cal), sum(wt_loss), count(*) - count(wt_loss)
		FROM consortium.trial',
	[ 228, 62.44736842105263, 82.327614189659172, 210.64554314070384, 928.77900552486187, 2104, 14 ],
	'mean, var, sd, sum, missing values');

# m <- lm(wt.loss ~ age, data = d); coef(m); summary(m)$r.squared;
# cov(d$age, d$wt.loss, use = "complete.obs");
# cor(d$ph.karno, d$pat.karno, use = "complete.obs")
as_in_r(
	'SELECT regr_intercept(wt_loss, age), regr_slope(wt_loss, age), regr_r2(wt_loss, age), covar_samp(wt_loss, age),
		corr(ph_karno, pat_karno) FROM consortium.trial',
	[ 6.421420898205137284, 0.054573837417490528, 0.0014552603550916034, 4.6040542319336577, 0.52029736783680902 ],
	'lm, cov, cor');

# coef(lm(pat.karno ~ ph.karno, data = d, subset = sex == 2))
as_in_r(
	'SELECT regr_intercept(pat_karno, ph_karno), regr_slope(pat_karno, ph_karno) FROM consortium.trial WHERE sex = 2',
	[ 24.46221174886384730, 0.68481737081299421 ],
	'lm of a subset');

# table(d$sex, d$status)
as_in_r('SELECT sex, status, count(*) FROM consortium.trial GROUP BY sex, status ORDER BY sex, status',
	[ 1, 1, 26, 1, 2, 112, 2, 1, 37, 2, 2, 53 ], 'table');

# tapply(d$time, d$sex, sd)
as_in_r('SELECT stddev(time) FROM consortium.trial GROUP BY sex ORDER BY sex',
	[ 213.05159547314048, 203.46881990653335 ], 'tapply');

# The study of docs/study.md: its statements print what it shows -------------

# Statements with what stands below them in their block, and R's figures for it.
sub study_statements
{
	my ($file) = @_;
	my ($open, @statements);
	for (split /\n/, PostgreSQL::Test::Utils::slurp_file($file))
	{
		push @statements, { sql => '', shown => '', figures => [] } if s/^    r=> /    /;
		if (/^R `.*` (.*)/)
		{
			push @{ $statements[-1]{figures} }, split / /, $1;
		}
		elsif (/^    (.*)/ && @statements && $statements[-1]{sql} !~ /;$/)
		{
			$statements[-1]{sql} .= "$1\n" =~ s/\s+$/ /r;
			$statements[-1]{sql} =~ s/; $/;/;
		}
		elsif (/^    (.*)/ && @statements)
		{
			$statements[-1]{shown} .= $1 =~ s/\s+$//r . "\n";
		}
	}
	return @statements;
}

SKIP:
{
	my $study = "$FindBin::RealBin/../../docs/study.md";
	skip 'docs/ is not beside test/', 1 unless -e $study;
	for my $statement (study_statements($study))
	{
		my ($ret, $out, $err) = $c->ask("SET client_min_messages = warning; $statement->{sql}",
			extra_params => [ '-P', 'format=aligned', '-P', 'tuples_only=off', '-P', 'footer=off' ]);
		$out = join '', map { s/\s+$//r . "\n" } split /\n/, "$out\n$err";
		is($out, $statement->{shown}, 'study: ' . substr($statement->{sql}, 0, 60));
		my @missing = grep { index($statement->{shown}, $_) < 0 } @{ $statement->{figures} };
		is("@missing", '', 'and has the figures of R');
	}
}

# On record -----------------------------------------------------------------

my @nodes = (@hospitals, 'research');
my $run = $c->last_run('research');
like($run, qr/^[0-9a-f-]{36}$/, 'the run has an id');
for my $node (@nodes)
{
	ok($c->has_outcome($node, $run), "$node knows how the run ended");
	my @kinds = $c->audit($node, 'kind', "run = '$run'");
	is(scalar(grep { $_ eq 'request' } @kinds), 1, "$node was asked once");
	my ($outcome) = $c->audit($node, 'outcome', "run = '$run' AND kind = 'outcome'");
	unlike($outcome, qr/fail|refus|cancel/, "$node: it ended well");
	my ($actor) = $c->audit($node, 'actor', "run = '$run' AND kind = 'request'");
	like($actor, qr/alice/, "$node knows who asked");
	$c->ledger_is_whole($node);
}
for my $hospital (@hospitals)
{
	my @kinds = $c->audit($hospital, 'kind', "run = '$run'");
	for my $kind (qw(request decision execution outcome))
	{
		ok((grep { $_ eq $kind } @kinds), "$hospital recorded the $kind");
	}
}

done_testing();
