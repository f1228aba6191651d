"""Each ends with every requested validation done, its effect applied once, no false red, and no lost audit event."""

import random
import re
import signal
import time
import urllib.parse
import urllib.request
from collections import Counter
from contextlib import suppress

import psutil
import pytest

from benchmarks.servers import postgres_is_there
from tests.faults.house import House

pytestmark = [
    pytest.mark.fault,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not postgres_is_there(), reason="PostgreSQL's programs are not on this machine"),
]
SEED = 20261126


@pytest.fixture
def make_house(tmp_path):
    houses = []

    def make(**options) -> House:
        houses.append(House(tmp_path, **options))
        return houses[-1]

    yield make
    for house in houses:
        house.__exit__()


def names(numbers) -> set[str]:
    return {f"Reader{number}" for number in numbers}


def assert_all_is_well(house: House, count: int, *, shut: set[str] = frozenset()) -> None:
    """After one sweep of freshly returned roles: each is done once, and red only where its door is shut."""
    assert house.ask("given_up") == []
    states = house.ask("states")
    assert {name for name, state in states.items() if state == "proven"} == names(range(count)) - shut
    assert {name for name, state in states.items() if state == "refused"} == shut
    assert house.ask("rows") == dict.fromkeys(names(range(count)), 1)
    assert house.ask("trouble_in_the_books") == []


def assert_alerts_arrive(house: House) -> None:
    """One that was under way when its worker died may come again, and shows by its Message-ID that it is the same."""
    house.wait(lambda: (told := house.ask("deliveries")) and all(told.values()), within=240)
    arrived = {mail["Message-ID"].strip("<>").partition("@")[0] for mail in house.mail.taken}
    assert arrived == set(house.ask("deliveries"))


def test_a_worker_that_is_killed_a_hundred_times_loses_nothing_and_does_nothing_twice(make_house):
    """Now a process of the pool, now a whole worker with all that it holds."""
    dice, roles = random.Random(SEED), 200  # noqa: S311
    house = make_house(time_limit=12)
    house.ask("register", roles)
    house.ask("sweep")
    workers = [house.start_worker(), house.start_worker()]
    house.start_beat()
    rounds, killed = 0, Counter()
    while killed.total() < 100:
        if house.ask("open_ones") == 0:
            # Other doors are shut each time, so that there is something to tell.
            house.sts.shut = names(dice.sample(range(roles), 20))
            house.ask("let_fall_due")
            rounds += 1
        # So long as work goes on, any moment will do.
        enough = house.sts.requests + dice.randrange(60)
        house.wait(lambda enough=enough: house.sts.requests >= enough or house.ask("open_ones") == 0)
        number = dice.randrange(2)
        pool = house.pool_of(workers[number])
        if dice.random() < 0.25 or not pool:
            house.kill(workers[number])
            workers[number] = house.start_worker()
            killed["worker"] += 1
        else:
            # One that a kill of before has just ended is no victim.
            with suppress(psutil.NoSuchProcess):
                dice.choice(pool).kill()
                killed["process"] += 1
    house.wait_until_done(within=120)
    assert house.ask("trouble_in_the_books") == []
    # A check whose worker dies again and again is given up as our own trouble, and its role is due again.
    assert set(house.ask("verdicts")) <= {"proven", "denied", "our_trouble"}
    assert set(house.ask("rows")) == names(range(roles))
    assert rounds > 1
    assert_alerts_arrive(house)


def test_a_broker_that_stops_for_a_minute_and_comes_back_empty_loses_nothing(make_house):
    house = make_house()
    house.ask("register", 300)
    house.ask("sweep")
    worker = house.start_worker()
    house.start_beat()
    house.wait_until_done()
    house.sts.shut = names(range(10))
    house.ask("let_fall_due")
    house.wait(lambda: house.states()["suspect"] == 10)
    house.broker.stop(signal.SIGKILL)
    asked = house.ask("ask", 0)
    assert house.ask("send", asked) is False
    time.sleep(60)
    house.broker.start()
    house.wait_until_done()
    house.wait(lambda: house.states() == {"proven": 290, "broken": 10})
    assert_alerts_arrive(house)
    assert [mail["Subject"] for mail in house.mail.taken] == ["[Tobiishi] 10 roles are broken"]
    assert worker.poll() is None
    assert house.ask("trouble_in_the_books") == []


def test_a_database_that_is_restarted_in_the_midst_of_a_sweep_loses_nothing(make_house):
    house = make_house()
    house.sts.shut = names(range(10))
    house.ask("register", 400)
    house.ask("sweep")
    house.start_worker()
    house.start_beat()
    for requests in (200, 700, 1_200):
        house.wait(lambda enough=requests: house.sts.requests > enough)
        house.database.stop(signal.SIGQUIT)
        time.sleep(1)
        house.database.start()
    house.wait_until_done(within=120)
    assert_all_is_well(house, 400, shut=names(range(10)))


def test_an_sts_in_all_its_troubles_makes_no_role_red(make_house):
    dice = random.Random(SEED)  # noqa: S311
    troubles = ["throttle"] * 50 + ["503", "reset", "garbage", "forbidden by a proxy", "slow"] * 2 + ["hang"]
    house = make_house(time_limit=60)
    house.sts.shut = names(range(10))
    house.sts.trouble = lambda _parameters, _authorization: dice.choice([*troubles, *[None] * 39])
    house.ask("register", 100)
    house.ask("sweep")
    house.start_worker()
    house.start_beat()
    house.wait_until_done(within=240)
    assert_all_is_well(house, 100, shut=names(range(10)))


def test_keys_that_expire_in_the_midst_of_a_sweep_are_read_anew_when_there_are_newer_ones(make_house, tmp_path):
    keys = tmp_path / "credentials"
    write = "[default]\naws_access_key_id = {}\naws_secret_access_key = invented\n".format
    keys.write_text(write("AKIAOLD"))
    house = make_house(AWS_SHARED_CREDENTIALS_FILE=str(keys), AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    house.ask("register", 300)
    house.ask("sweep")

    def trouble(_parameters, authorization):
        return "expired" if house.sts.requests > 500 and "AKIAOLD" in authorization else None

    house.sts.trouble = trouble
    house.start_worker()
    house.start_beat()
    house.wait(lambda: house.sts.requests > 500)
    time.sleep(5)
    assert house.ask("open_ones") > 0
    keys.write_text(write("AKIANEW"))
    house.wait_until_done()
    assert_all_is_well(house, 300)


def test_a_clock_that_jumps_forward_and_back_stops_no_checks(make_house):
    house = make_house()
    house.ask("register", 100)
    house.ask("sweep")
    house.start_worker()
    house.start_beat()
    house.wait(lambda: house.sts.requests > 200)
    house.set_clock_forward(40 * 24 * 3600)
    house.wait_until_done()
    # Long enough for beat to have gone by the wrong time.
    time.sleep(6)
    house.set_clock_forward(0)
    house.wait(lambda: max(house.ask("next_checks")) <= 3 * 3600)
    house.wait_until_done()
    house.set_clock_forward(-3600)
    house.ask("let_fall_due")
    house.wait(lambda: min(house.ask("rows").values()) >= 2)
    house.wait_until_done()
    assert house.ask("trouble_in_the_books") == []
    assert set(house.ask("states").values()) == {"proven"}


def test_two_beats_by_mistake_check_nothing_twice(make_house):
    house = make_house()
    house.sts.shut = names(range(10))
    house.ask("register", 200)
    house.start_worker()
    for _ in range(2):
        house.start_beat()
    house.wait(lambda: house.ask("rows") == dict.fromkeys(names(range(200)), 1))
    house.wait_until_done()
    time.sleep(3)
    assert_all_is_well(house, 200, shut=names(range(10)))


def test_a_task_that_is_killed_by_its_time_limit_is_done_later(make_house):
    house = make_house(time_limit=4)

    def hang_at_first(parameters, _authorization):
        return "hang" if parameters.get("RoleArn", "").endswith("/Reader7") and time.monotonic() < until else None

    until = time.monotonic() + 20
    house.sts.trouble = hang_at_first
    house.ask("register", 60)
    house.ask("sweep")
    house.start_worker()
    house.start_beat()
    house.wait(lambda: "time limit" in house.logs())
    house.wait_until_done()
    assert_all_is_well(house, 60)


def test_a_role_that_makes_the_process_die_takes_no_other_along(make_house):
    house = make_house(time_limit=4, FAULT_POISON="Reader7")
    house.ask("register", 60)
    house.ask("sweep")
    house.start_worker()
    house.start_beat()
    house.wait_until_done(within=120)
    states = house.ask("states")
    assert states.pop("Reader7") == "returned"
    assert set(states.values()) == {"proven"}
    assert house.ask("verdicts") == {"proven": 59, "our_trouble": 1}
    assert house.ask("rows") == dict.fromkeys(names(range(60)), 1)
    assert house.ask("trouble_in_the_books") == []


def test_while_the_broker_is_down_a_partner_returns_a_role_and_reads_that_the_check_waits(make_house):
    house = make_house()
    house.ask("register", 1)
    base, invited = house.start_web(), house.ask("invite")
    house.broker.stop(signal.SIGKILL)
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
    page = browser.open(base + invited["open"], timeout=20).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "role_arn": invited["arn"]}).encode()
    page = browser.open(base + invited["return"], form, timeout=20).read().decode()
    assert "The check waits for its turn" in page
    assert house.ask("states")["Newcomer"] == "returned"
    house.broker.start()
    house.start_worker()
    house.start_beat()
    house.wait(lambda: house.ask("states")["Newcomer"] == "proven")
    assert house.ask("trouble_in_the_books") == []
