# 020_contract_liar.pl
#	  A coordinator that asks under a contract what the contract does not say
#	  (liar/liar.c): every site, all of them in mode contracts, refuses by itself.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use File::Copy qw(copy);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, one_cluster => 1);
my $keys = PostgreSQL::Test::Utils::tempdir;

$c->load_lung;
$c->publish('clinic.trial', 'trial', "$Secmed::LUNG_OPTIONS, columns => '{patient_id, sex, age, status, ph_ecog}'");
$c->import_tables;

# People ---------------------------------------------------------------------

my %person = (ada => [ '--organisation', 'Uni', '--role', 'analyst', '--node', 'research' ], vera => [ '--organisation', 'Board', '--role', 'vetter' ],
	(map { ("owner_$_" => [ '--organisation', $_, '--role', 'owner' ]) } @hospitals));
my %identity = map { Secmed::tool('', 'keygen', '--person', $_, "$keys/$_"); ($_ => Secmed::tool('', 'identity', "$keys/$_", @{ $person{$_} })) }
  sort keys %person;
my $founders = join ', ', map { "\$doc\$$identity{$_}\$doc\$" } sort keys %identity;
$c->run($_, "SELECT secmed.admit_founders($founders)") for @hospitals, 'research';
$c->run('research', "SELECT secmed.bind_identity(secmed.fingerprint_text(fingerprint), 'alice') FROM secmed.identity WHERE name = 'ada'");

# Drafts with SQL, signs with the tool, and gives it to all.
sub done
{
	my ($who, $draft) = @_;
	my $signed = Secmed::tool($c->run('research', "SET search_path = consortium; SET ROLE alice; SELECT $draft"), 'sign', "$keys/$who", '-');
	return $c->run('research', "SELECT secmed.submit_document(\$doc\$$signed\$doc\$)");
}

my $terms = "legal_basis => 'GDPR', terms => 'T', patients_min => 11, vetters => 1";
my $contract = done('ada', qq{secmed.draft_contract('old', 'Old patients', 'How many?',
	'SELECT sex, count(*) FROM trial WHERE age >= \$1 AND ph_ecog >= 0 GROUP BY sex',
	'[{"name": "age", "type": "integer", "min": 40, "max": 60}]', $terms)});
done('ada', "secmed.draft_contract_act('propose', 'old')");
done('vera', "secmed.draft_contract_act('vet', 'old', meaning => 'approval')");
done("owner_$_", "secmed.draft_contract_act('sign', 'old', node => '$_')") for @hospitals;
done('ada', "secmed.draft_contract_act('accept', 'old')");
$c->run('research', 'SELECT secmed.exchange_documents()');
is($c->run($_, "SELECT state FROM secmed.contract"), 'active', "the contract is active at $_") for @hospitals, 'research';
$c->run($_, "SELECT secmed.set_mode('contracts')") for @hospitals;

# The truth ------------------------------------------------------------------

my $honest = "SELECT * FROM secmed.run('old', '{\"age\": 50}') AS t(sex smallint, n bigint)";
my ($ret, $answer, $err) = $c->ask("$honest ORDER BY 1;");
like($answer, qr/^1\|\d+\n2\|\d+$/, 'the contract is answered') or diag $err;
is(($c->ask("SELECT sex, count(*) FROM consortium.trial WHERE age >= 50 AND ph_ecog >= 0 GROUP BY sex ORDER BY 1;"))[1], $answer,
	'and so is a SELECT that is an instance of it');
like(($c->ask('SELECT sex, count(*) FROM consortium.trial GROUP BY sex;'))[2], qr/ERROR:\s+SM041: .*only questions that a contract allows/s,
	'and nothing else');

# The lies -------------------------------------------------------------------

my $build = PostgreSQL::Test::Utils::tempdir;
copy("$FindBin::RealBin/liar/$_", $build) or die "$_: $!" for qw(Makefile liar.c);
system_or_bail('make', '-s', '-C', $build, 'with_llvm=no', 'PG_CONFIG=' . ($ENV{PG_CONFIG} // 'pg_config'));
$c->run('research', "ALTER ROLE alice IN DATABASE research SET session_preload_libraries = '$build/liar.so'");

# No site may have shared anything: none has counted a run.
sub refused
{
	my ($about, $sql, %lie) = @_;
	my $uses = $c->run('lmu', 'SELECT uses FROM secmed.contract');
	my (undef, $out, $said) = $c->ask(join('', map { "SET liar.$_ = \$lie\$$lie{$_}\$lie\$;\n" } sort keys %lie) . "$sql;");
	ok($out eq '' && $said =~ /ERROR:\s+SM042: /, "refused: $about") or diag "$out $said";
	is($c->run('lmu', 'SELECT uses FROM secmed.contract'), $uses, "$about: lmu gave nothing away");
}

my $from = 'FROM secmed_published.trial r1';
for my $sql ($honest, 'SELECT sex, count(*) FROM consortium.trial WHERE age >= 50 AND ph_ecog >= 0 GROUP BY sex')
{
	refused('a condition is dropped', $sql, sql => "SELECT r1.sex, count(*) $from WHERE ((r1.age >= \$1)) GROUP BY 1");
	refused('another comparison', $sql, sql => "SELECT r1.sex, count(*) $from WHERE ((r1.age = \$1)) AND ((r1.ph_ecog >= 0)) GROUP BY 1");
	refused('another column', $sql, sql => "SELECT r1.sex, count(*) $from WHERE ((r1.patient_id >= \$1)) AND ((r1.ph_ecog >= 0)) GROUP BY 1",
		tables => '[["trial", [["patient_id", "integer"], ["ph_ecog", "integer"], ["sex", "integer"]]]]');
	refused('a sum instead of the count', $sql, sql => "SELECT r1.sex, sum(r1.age) $from WHERE ((r1.age >= \$1)) AND ((r1.ph_ecog >= 0)) GROUP BY 1",
		components => '[[2, 0]]');
}
refused('a value beyond the bounds', 'SELECT sex, count(*) FROM consortium.trial WHERE age >= 61 AND ph_ecog >= 0 GROUP BY sex');

# Revoked means at once, whatever the coordinator has heard.
my $revoked = Secmed::tool($c->run('charite', "SELECT secmed.draft_contract_act('revoke', 'old', 'enough', 'charite')"), 'sign', "$keys/owner_charite", '-');
$c->run('charite', "SELECT secmed.submit_document(\$doc\$$revoked\$doc\$)");
like(($c->ask("$honest;"))[2], qr/ERROR:\s+SM042: .*revoked/s, 'a site that has heard of a revocation refuses');

done_testing();
