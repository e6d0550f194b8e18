#!/usr/bin/env python3
# people.py > sql/include/people.sql
#	  Documents that the regression tests give to nodes: identities, votes, rules.
#
# A second implementation of contract/document.h, person.h and vote.h.  Keys are
# made of the names, so the same bytes come out each time; never use them.
import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

# 2023-11-14 22:13:20 UTC, and the end of 2199.
SINCE, UNTIL = 1700000000 * 10**6, 7258118399 * 10**6


def head(major, n):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, 'big')


def cbor(value):
    if value is None:
        return b'\xf6'
    if isinstance(value, bool):
        return b'\xf5' if value else b'\xf4'
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b''.join(map(cbor, value))


def raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def seed(purpose, name):
    return hashlib.sha256(('secmed test %s %s' % (purpose, name)).encode()).digest()


class Key:
    def __init__(self, name):
        self.sign = Ed25519PrivateKey.from_private_bytes(seed('sign', name))
        self.seal = X25519PrivateKey.from_private_bytes(seed('seal', name))
        self.fingerprint = hashlib.sha256(raw(self.sign)).digest()


def document(body, *keys):
    bytes_ = cbor(body)
    return cbor([bytes_, sorted([key.fingerprint, key.sign.sign(b'secmed/document/1\0' + bytes_)] for key in keys)])


def digest(body):
    return hashlib.sha256(cbor(body)).digest()


def identity(key, name, roles, nodes=(), replaces=None, kind='person', organisation='Charite', until=UNTIL, since=SINCE):
    return ['identity', 1, kind, name, organisation, roles, list(nodes), raw(key.sign), raw(key.seal), since, until, replaces]


def vote(verb, subject, reason='', at=SINCE + 1):
    return ['vote', 1, verb, subject, at, reason]


def show(name, bytes_):
    print("\\set %s '-----BEGIN SECMED DOCUMENT----- %s -----END SECMED DOCUMENT-----'"
          % (name, base64.b64encode(bytes_).decode()))


def main():
    keys = {name: Key(name) for name in ('ada', 'bob', 'carol', 'dave', 'eve', 'ada2', 'frank', 'lab')}
    people = {
        'ada': identity(keys['ada'], 'Ada Weber', ['analyst', 'governance']),
        'bob': identity(keys['bob'], 'Bob Marsh', ['vetter', 'governance']),
        'carol': identity(keys['carol'], 'Carol Reyes', ['vetter', 'governance'], organisation='LMU'),
        'dave': identity(keys['dave'], 'Dave Olsen', ['analyst'], ['charite']),
        'eve': identity(keys['eve'], 'Eve Stone', ['analyst'], ['charite', 'lmu']),
        'frank': identity(keys['frank'], 'Frank Lind', ['analyst'], since=1500000000 * 10**6, until=1600000000 * 10**6),
        'lab': identity(keys['lab'], 'Trial Laboratory', ['sponsor', 'payer'], kind='organisation', organisation=''),
        # Ada has lost her key, and shows a new one.
        'ada2': identity(keys['ada2'], 'Ada Weber', ['analyst', 'governance'], replaces=keys['ada'].fingerprint),
        # Dave's key, with another role.
        'dave2': identity(keys['dave'], 'Dave Olsen', ['analyst', 'vetter'], ['charite'], replaces=keys['dave'].fingerprint),
    }
    signers = dict({name: name for name in people}, dave2='dave')
    for name, body in people.items():
        show(name, document(body, keys[signers[name]]))
    for name, key in keys.items():
        print("\\set %s_fingerprint '%s'" % (name, key.fingerprint.hex()))
    show('eve_by_ada', document(people['eve'], keys['ada']))
    show('dave_again', document(identity(keys['dave'], 'Dave Olsen', ['auditor']), keys['dave']))
    rules = ['governance', 1, 1, 2, 2, 2, 3, 'Rules of the consortium']
    show('rules', document(rules, keys['ada']))
    show('rules2', document(['governance', 1, 2, 1, 1, 1, 1, 'Rules that anybody could change'], keys['ada']))
    for voter in ('ada', 'bob', 'carol', 'dave'):
        for subject in people:
            show('%s_admits_%s' % (voter, subject), document(vote('admit', digest(people[subject])), keys[voter]))
        show('%s_adopts' % voter, document(vote('adopt', digest(rules)), keys[voter]))
    for voter in ('ada', 'bob', 'carol', 'ada2'):
        show('%s_removes_eve' % voter, document(vote('remove', keys['eve'].fingerprint, 'has left'), keys[voter]))
        show('%s_removes_bob' % voter, document(vote('remove', keys['bob'].fingerprint, 'key was stolen'), keys[voter]))
    show('both_remove_eve', document(vote('remove', keys['eve'].fingerprint, 'together'), keys['ada'], keys['carol']))
    show('bob_admits_later', document(vote('admit', digest(people['dave']), 'of the future', 7258118398 * 10**6), keys['bob']))
    forged = bytearray(document(vote('admit', digest(people['eve']), 'forged'), keys['bob']))
    forged[-1] ^= 1
    show('forged', bytes(forged))
    show('unsigned', document(people['eve']))


if __name__ == '__main__':
    main()
