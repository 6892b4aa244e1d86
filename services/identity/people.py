"""Adding a person."""

import re
from collections.abc import Collection

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from services.identity import policy
from services.identity.tables import UserAccount, UserRole
from services.kernel import ids
from services.kernel.actor import Actor, Role
from services.kernel.errors import Conflict, Invalid, NotFound
from services.kernel.ids import UserId
from services.runtime.work import Work

# One of the parameter sets that OWASP names for argon2id: 46 MiB, one pass, one lane (about 60 ms a hash).
HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=47_104, parallelism=1),))
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
LONGEST_NAME = 200

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


def register(work: Work, *, email: str, name: str, password: str, roles: Collection[Role]) -> UserId:
    """Add a person who can sign in.

    Raises Forbidden for anybody who may not manage people, Invalid for a field that does not fit,
    Conflict for an e-mail that is already known.
    """
    policy.require(work.actor, policy.Permission.MANAGE_PEOPLE)
    address = email_of(email)
    _check(name=name, password=password, roles=roles)
    user_id = UserId(ids.fresh(work.now))
    taken = work.run(
        insert_or_skip(UserAccount)
        .values(
            user_id=user_id,
            email=address,
            name=name.strip(),
            password_hash=HASHER.hash(password),
            created_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(literal(1))
    ).first()
    if taken is None:
        raise Conflict("email_taken", "A person with this e-mail exists already: use another e-mail.")
    work.run(insert(UserRole), [{"user_id": user_id, "role": role} for role in sorted(roles)])
    work.audit("person.registered", "user", user_id, roles=sorted(roles))
    return user_id


def actor_by_email(work: Work, *, email: str) -> Actor:
    """The person with an e-mail, to act in their name: for those who may manage people.

    Raises Forbidden, Invalid and NotFound.
    """
    policy.require(work.actor, policy.Permission.MANAGE_PEOPLE)
    found = work.run(
        select(UserAccount.user_id, UserAccount.name, UserRole.role)
        .join(UserRole, UserRole.user_id == UserAccount.user_id)
        .where(UserAccount.email == email_of(email), UserAccount.status == "active")
    ).all()
    if not found:
        raise NotFound("person_unknown", "There is no person with this e-mail.")
    return Actor(found[0].name, UserId(found[0].user_id), frozenset(Role(each.role) for each in found))


def email_of(text: str) -> str:
    """The form in which an e-mail address is stored and looked up. Raises Invalid."""
    address = text.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise Invalid("email", "The e-mail must look like name@example.com.")
    return address


def _check(*, name: str, password: str, roles: Collection[Role]) -> None:
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise Invalid("name", f"The name must have 1 to {LONGEST_NAME} characters.")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            "password", f"The password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        )
    if not roles:
        raise Invalid("roles", f"Give at least one role: {', '.join(Role)}.")
