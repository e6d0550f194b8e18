/*
 * test_crypto.c
 *	  Hash, commitment, signature, sealed box and random stream against
 *	  published vectors and against the other library.
 */
#include "base/base.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "crypto/hash.h"
#include "crypto/prg.h"
#include "crypto/seal.h"
#include "crypto/sign.h"
#include "unit.h"

static bool
equals_hex(const uint8 *bytes, const char *hex)
{
	uint8		expected[128];
	size_t		len = unit_hex(expected, hex);

	return memcmp(bytes, expected, len) == 0;
}

/* FIPS 180-4 examples (NIST CSRC, "SHA256.pdf") and one million times "a". */
static void
test_hash(void)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char	   *million = malloc(1000000);
	HashPart	parts[] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
	uint8		hash[HASH_BYTES];

	hash_bytes(hash, "", 0);
	check(equals_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "SHA-256 of nothing");
	hash_bytes(hash, "abc", 3);
	check(equals_hex(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "SHA-256 of abc");
	hash_parts(hash, parts, lengthof(parts));
	check(equals_hex(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "SHA-256 of abc in parts");
	hash_bytes(hash, two_blocks, strlen(two_blocks));
	check(equals_hex(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"), "SHA-256 of two blocks");
	memset(million, 'a', 1000000);
	hash_bytes(hash, million, 1000000);
	check(equals_hex(hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"), "SHA-256 of a million a");
	free(million);
}

static void
test_commit(void)
{
	static const char payload[] = "SELECT count(*) FROM trial";
	uint8		key[20];
	uint8		salt[SALT_BYTES];
	uint8		expected[HASH_BYTES];
	uint8		found[HASH_BYTES];
	char		message[128] = "secmed/commit/1";
	unsigned	len = HASH_BYTES;

	/* The library that we compare with passes RFC 4231, test cases 1 and 2. */
	memset(key, 0x0b, sizeof(key));
	HMAC(EVP_sha256(), key, sizeof(key), (const uint8 *) "Hi There", 8, expected, &len);
	check(equals_hex(expected, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"), "RFC 4231, case 1");
	HMAC(EVP_sha256(), "Jefe", 4, (const uint8 *) "what do ya want for nothing?", 28, expected, &len);
	check(equals_hex(expected, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), "RFC 4231, case 2");

	random_bytes(salt, sizeof(salt));
	strcat(message, payload);
	HMAC(EVP_sha256(), salt, sizeof(salt), (const uint8 *) message, strlen(message), expected, &len);
	commit_payload(found, salt, payload, strlen(payload));
	check(memcmp(found, expected, HASH_BYTES) == 0, "a commitment is HMAC-SHA-256 of purpose and payload");
	commit_payload(found, salt, NULL, 0);
	HMAC(EVP_sha256(), salt, sizeof(salt), (const uint8 *) "secmed/commit/1", 15, expected, &len);
	check(memcmp(found, expected, HASH_BYTES) == 0, "so is one to nothing");
}

/* Ed25519 of OpenSSL over the same bytes. */
static bool
openssl_verifies(const uint8 *signature, const uint8 *public_key, const void *bytes, size_t len)
{
	EVP_PKEY   *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SIGN_PUBLIC_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool		valid = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES, bytes, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return valid;
}

/* RFC 8032, section 7.1, test 3, to see that the library is Ed25519. */
static void
test_sign_vector(void)
{
	uint8		seed[32];
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret_key[SIGN_SECRET_BYTES];
	uint8		signature[SIGNATURE_BYTES];
	uint8		message[2] = {0xaf, 0x82};
	uint8		ours[2 + 2 + 2] = {'p', 'q', 0, 0xaf, 0x82};

	unit_hex(seed, "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	check(equals_hex(public_key, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"), "RFC 8032, public key");
	crypto_sign_detached(signature, NULL, message, 2, secret_key);
	check(equals_hex(signature, "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
					 "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"), "RFC 8032, signature");

	sign_message(signature, secret_key, "pq", message, 2);
	check(openssl_verifies(signature, public_key, ours, 5), "purpose, zero, message is what is signed");
	sign_message(signature, secret_key, "pq", NULL, 0);
	check(openssl_verifies(signature, public_key, ours, 3), "nothing can be signed");
}

static void
test_sign(void)
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		secret_key[SIGN_SECRET_BYTES];
	uint8		other_public[SIGN_PUBLIC_BYTES];
	uint8		other_secret[SIGN_SECRET_BYTES];
	uint8		signature[SIGNATURE_BYTES];
	char		message[] = "a request";
	bool		refused = true;

	sign_keypair(public_key, secret_key);
	sign_keypair(other_public, other_secret);
	sign_message(signature, secret_key, "secmed/test/1", message, sizeof(message));
	check(sign_verify(signature, public_key, "secmed/test/1", message, sizeof(message)), "a signature verifies");
	check(!sign_verify(signature, public_key, "secmed/test/2", message, sizeof(message)), "not for another purpose");
	check(!sign_verify(signature, other_public, "secmed/test/1", message, sizeof(message)), "not with another key");
	check(!sign_verify(signature, public_key, "secmed/test/1", message, sizeof(message) - 1), "not cut");
	check(!sign_verify(signature, public_key, "secmed/test", "/1\0a request", 12), "not with purpose and message split elsewhere");

	for (int bit = 0; bit < 8 * SIGNATURE_BYTES; bit++)
	{
		signature[bit / 8] ^= 1 << bit % 8;
		refused &= !sign_verify(signature, public_key, "secmed/test/1", message, sizeof(message));
		signature[bit / 8] ^= 1 << bit % 8;
	}
	for (int bit = 0; bit < 8 * sizeof(message); bit++)
	{
		message[bit / 8] ^= 1 << bit % 8;
		refused &= !sign_verify(signature, public_key, "secmed/test/1", message, sizeof(message));
		message[bit / 8] ^= 1 << bit % 8;
	}
	check(refused, "not with any bit of signature or message flipped");

	memset(public_key, 0, sizeof(public_key));
	memset(signature, 0, sizeof(signature));
	public_key[0] = signature[0] = 1;
	check(!sign_verify(signature, public_key, "secmed/test/1", message, sizeof(message)), "a key of small order signs nothing");
	check_fails(ERRCODE_PROGRAM_LIMIT_EXCEEDED, sign_message(signature, secret_key, "p", message, SIZE_MAX),
				"a length near 2^64 is not signed");
	check(!sign_verify(signature, public_key, "p", message, SIZE_MAX), "nor verified");
}

static void
test_seal(void)
{
	uint8		public_key[SEAL_PUBLIC_BYTES];
	uint8		secret_key[SEAL_SECRET_BYTES];
	uint8		other_public[SEAL_PUBLIC_BYTES];
	uint8		other_secret[SEAL_SECRET_BYTES];
	static const char message[] = "one site's shares";
	uint8		sealed[sizeof(message) + SEAL_OVERHEAD_BYTES];
	uint8		opened[sizeof(message)];
	bool		refused = true;

	seal_keypair(public_key, secret_key);
	seal_keypair(other_public, other_secret);
	seal_message(sealed, public_key, message, sizeof(message));
	check(seal_open(opened, sealed, sizeof(sealed), public_key, secret_key) &&
		  memcmp(opened, message, sizeof(message)) == 0, "what was sealed opens");
	check(!seal_open(opened, sealed, sizeof(sealed), other_public, other_secret), "not for another node");
	for (int bit = 0; bit < 8 * sizeof(sealed); bit++)
	{
		sealed[bit / 8] ^= 1 << bit % 8;
		refused &= !seal_open(opened, sealed, sizeof(sealed), public_key, secret_key);
		sealed[bit / 8] ^= 1 << bit % 8;
	}
	check(refused, "not with any bit flipped");
	refused = true;
	for (size_t len = 0; len < sizeof(sealed); len++)
		refused &= !seal_open(opened, sealed, len, public_key, secret_key);
	check(refused, "not cut at any length");

	seal_message(sealed, public_key, NULL, 0);
	check(seal_open(opened, sealed, SEAL_OVERHEAD_BYTES, public_key, secret_key), "nothing can be sealed");
	memset(public_key, 0, sizeof(public_key));
	check_fails(ERRCODE_SECMED_WRONG_KEY, seal_message(sealed, public_key, message, sizeof(message)),
				"nothing is sealed to a key of small order");
}

/* AES-256 of each counter block on its own (ECB), so the mode is not OpenSSL's. */
static void
counter_mode(uint8 *out, size_t len, const uint8 *seed)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	EVP_EncryptInit_ex(ctx, EVP_aes_256_ecb(), NULL, seed, NULL);
	for (size_t at = 0; at < len; at += 16)
	{
		uint8		block[16] = {0};
		uint8		key_stream[32];
		int			written;

		for (int i = 0; i < 8; i++)
			block[15 - i] = (uint8) ((at / 16) >> (8 * i));
		EVP_EncryptUpdate(ctx, key_stream, &written, block, 16);
		memcpy(out + at, key_stream, Min(16, len - at));
	}
	EVP_CIPHER_CTX_free(ctx);
}

static void
test_prg(void)
{
	enum
	{
		TOTAL = 100003
	};
	uint8		seed[SEED_BYTES];
	uint8	   *expected = malloc(TOTAL);
	uint8	   *found = malloc(TOTAL);
	Prg		   *prg;
	size_t		at = 0;

	/* NIST AESAVS: what a zero block encrypts to under a zero key. */
	memset(seed, 0, sizeof(seed));
	prg = prg_create(seed);
	prg_fill(prg, found, 16);
	check(equals_hex(found, "dc95c078a2408989ad48a21492842087"), "a stream begins with AES-256 of zero");
	prg_free(prg);

	unit_hex(seed, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
	counter_mode(expected, TOTAL, seed);
	prg = prg_create(seed);
	prg_fill(prg, found, TOTAL);
	prg_free(prg);
	check(memcmp(found, expected, TOTAL) == 0, "a stream is AES-256 of 0, 1, 2, ...");

	memset(found, 0, TOTAL);
	prg = prg_create(seed);
	while (at < TOTAL)
	{
		size_t		len = Min(TOTAL - at, unit_random() % (at % 3 == 0 ? 40000 : 50));

		prg_fill(prg, found + at, len);
		at += len;
	}
	prg_free(prg);
	check(memcmp(found, expected, TOTAL) == 0, "whatever the sizes asked for");
	free(expected);
	free(found);
}

static void
test_derive(void)
{
	uint8		secret[SEED_BYTES];
	uint8		bytes[SEED_BYTES + 6];
	uint8		expected[HASH_BYTES];
	uint8		a[SEED_BYTES];
	uint8		b[SEED_BYTES];

	random_bytes(secret, sizeof(secret));
	memcpy(bytes, secret, SEED_BYTES);
	memcpy(bytes + SEED_BYTES, "ab\0xyz", 6);
	crypto_hash_sha256(expected, bytes, sizeof(bytes));
	prg_derive_seed(a, secret, "ab", "xyz", 3);
	check(memcmp(a, expected, SEED_BYTES) == 0, "a derived seed is SHA-256 of secret, purpose, zero, id");
	prg_derive_seed(a, secret, "a", "bc", 2);
	prg_derive_seed(b, secret, "ab", "c", 1);
	check(memcmp(a, b, SEED_BYTES) != 0, "purpose and id can't be split elsewhere");
}

static void
test_random_and_wipe(void)
{
	uint8		a[64] = {0};
	uint8		b[64] = {0};

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	check(memcmp(a, b, sizeof(a)) != 0, "random bytes differ");
	wipe(a, sizeof(a));
	check(sodium_is_zero(a, sizeof(a)), "wiped bytes are zero");
}

int
main(void)
{
	test_hash();
	test_commit();
	test_sign_vector();
	test_sign();
	test_seal();
	test_prg();
	test_derive();
	test_random_and_wipe();
	return unit_done();
}
