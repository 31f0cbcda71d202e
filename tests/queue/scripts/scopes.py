"""What is explored: small enough to be exhausted, large enough for each rule to have something to say."""

from model import Job, Scope

LARGE = 99
ALONE, BESIDE, BESIDE_TWO = (LARGE,), (LARGE, LARGE), (LARGE, LARGE, LARGE)

PAIR = (Job("u", "s"), Job("u", "s"))
TWO_SESSIONS = (Job("u", "s"), Job("u", "t"))
ONE_USER = (Job("u", "s"), Job("u", "t"), Job("u", "s"), Job("u", "t"))
TWO_USERS = (Job("u", "s"), Job("v", "t"), Job("u", "s"), Job("v", "t"))
CROWD = (Job("u", "s"), Job("u", "t"), Job("u", "r"), Job("v", "s"))
SAME_ID = (Job("u", id="i"), Job("u", id="i"))
SAME_ID_AMONG_OTHERS = (Job("u", id="i"), Job("u", "s"), Job("u", id="i"))
NAMELESS = (Job("u"), Job("u"), Job("v"), Job("v"))
NOBODYS = (Job(""), Job("u", "s"), Job(""), Job("u"))

CUT_SHORT = {"ingests": (99, 1), "fewer_claims": True}
DEATHS = ("crash", "stall")

# The small ones first: most mistakes show there.
FOR_MUTATIONS = (
    Scope("a_full_queue", TWO_USERS, (2, 2), max_parked=1, faults=0),
    Scope("a_share_of_two", CROWD, (2,), faults=0, **CUT_SHORT),
    Scope("a_lost_registration", PAIR, BESIDE, kinds=("forget",)),
    Scope("two_sessions_delayed", TWO_SESSIONS, ALONE, faults=3, kinds=("delay",)),
    Scope("shares_that_differ", ONE_USER, (1, 2), faults=0, **CUT_SHORT),
    Scope("a_pair_until_poisoned", PAIR, ALONE, faults=2, kinds=("crash", "fail")),
    Scope("two_users_delayed", TWO_USERS, (1,), faults=2, kinds=("delay",)),
    Scope("a_pair_delayed_late", PAIR, BESIDE, faults=2, kinds=("delay", "stall")),
    Scope("a_pair", PAIR, BESIDE),
    Scope("nameless_jobs_of_two_users", NAMELESS, (1,), max_parked=1),
    Scope("a_share_of_one", ONE_USER, (1,), max_parked=2),
    Scope("a_pair_delayed", PAIR, BESIDE, faults=2, kinds=("delay", "crash")),
    Scope("one_user_alone", ONE_USER, ALONE, max_in_flight=1),
    Scope("a_crowd_alone", CROWD, ALONE, max_in_flight=1, **CUT_SHORT),
    Scope("a_clock_that_jumps_back", PAIR, BESIDE, faults=2, kinds=("clock", "crash")),
    Scope("two_databases", PAIR, BESIDE, kinds=("crash", "stall", "leave"), databases=("1.1", "2.2")),
    Scope("a_shared_database", PAIR, BESIDE, kinds=("leave", "snatch"), databases=("1.1", "1.1")),
    Scope("two_databases_and_a_lost_registration", PAIR, BESIDE, kinds=("forget",), databases=("1.1", "2.2")),
    Scope("a_pair_and_two_deaths", PAIR, BESIDE, faults=2, kinds=DEATHS),
    Scope("refusals_with_a_share_of_one", ONE_USER[:3], (1,), faults=2, kinds=("lose", "refuse")),
    Scope("refusals", ONE_USER[:3], ALONE, faults=2, kinds=("lose", "refuse")),
)

# Here it is a daemon that makes the mistake, and only jobs that wait for ever tell.
NEVER_RECONCILES = Scope("daemons_that_never_reconcile", PAIR, BESIDE, reconciles=False)

QUICK = FOR_MUTATIONS + (
    Scope("two_sessions", TWO_SESSIONS, BESIDE),
    Scope("a_repeat", SAME_ID, BESIDE),
    Scope("nameless_jobs", NAMELESS, ALONE, max_in_flight=1),
    Scope("jobs_of_nobody", NOBODYS, (1,), max_in_flight=1),
    Scope("a_lost_registration_and_lost_answers", PAIR, BESIDE, faults=2, kinds=("forget", "lose")),
    Scope("a_lost_registration_and_a_stall", PAIR, BESIDE, faults=2, kinds=("forget", "stall")),
    Scope(
        "two_databases_and_lost_answers", PAIR, BESIDE, kinds=("lose", "release"), databases=("1.1", "2.2")
    ),
    Scope(
        "two_databases_of_three_daemons", PAIR, BESIDE_TWO, kinds=DEATHS, databases=("1.1", "1.1", "2.2")
    ),
    Scope("three_daemons", PAIR, BESIDE_TWO, kinds=DEATHS),
    Scope("delays_and_lost_answers", PAIR, BESIDE, faults=2, kinds=("delay", "lose")),
    Scope("delays_stalls_and_leaving", TWO_SESSIONS, BESIDE, faults=2, kinds=("delay", "stall", "leave")),
    Scope("two_faults_alone", TWO_SESSIONS, ALONE, faults=2),
    Scope("deaths_in_a_full_queue", CROWD, (2, 2), max_parked=2, kinds=DEATHS),
    Scope("deaths_with_a_share_of_one", TWO_USERS, (1, 1), kinds=DEATHS),
    Scope("refusals_of_one_id", SAME_ID, ALONE, faults=2, kinds=("lose", "refuse")),
    Scope("lost_answers_with_shares_that_differ", ONE_USER[:3], (1, 2), kinds=("lose",)),
)

DEEP = (
    Scope("a_repeat_among_others", SAME_ID_AMONG_OTHERS, BESIDE),
    Scope("one_user", ONE_USER, BESIDE),
    Scope("two_users_with_a_share_of_one", TWO_USERS, (1, 1)),
    Scope("two_users_in_a_full_queue", TWO_USERS, (2, 2), max_parked=2, **CUT_SHORT),
    Scope("a_crowd_with_shares_that_differ", CROWD, (1, 2)),
    Scope("lost_answers_when_the_clock_jumps", PAIR, BESIDE, faults=2, kinds=("clock", "lose", "stall")),
    Scope("jobs_of_nobody_with_shares_that_differ", NOBODYS, (1, 2), kinds=("crash", "lose")),
    Scope("a_pair_and_two_faults", PAIR, BESIDE, faults=2),
    Scope("two_sessions_and_two_faults", TWO_SESSIONS, BESIDE, faults=2),
    Scope("a_pair_and_three_faults", PAIR, ALONE, faults=3),
    Scope("refusals_and_deaths", PAIR, BESIDE, faults=3, kinds=("lose", "refuse", "crash")),
    Scope("three_daemons_and_all_faults", TWO_SESSIONS, BESIDE_TWO),
    Scope("four_jobs_and_two_deaths", TWO_USERS, (1, 1), faults=2, kinds=("crash", "stall", "release")),
)
