"""The room: every phone counts once, nothing is shown before the answer, everything ends and everything is bounded."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.lectures import Question, room
from core.lectures import rooms as server
from core.lectures.ballots import Tally
from core.lectures.room import Talk
from core.lectures.rooms import Rooms
from core.problems import InputError

WHO = Question("who?", choices=("standard", "robust"), answer=1.0)
FAR = Question("how far?", low=0.0, high=2.0)


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock) -> Rooms:
    return Rooms(clock)


@pytest.fixture
def talk(rooms) -> Talk:
    found = rooms.begin()
    rooms.invite(found)
    return found


def test_the_last_vote_of_a_phone_counts_and_only_that(talk):
    one, other = talk.join(), talk.join()
    talk.go("paper", 2, WHO)
    for phone, value in ((one, 1.0), (one, 2.0), (other, 2.0), (one, 2.0)):
        talk.vote(phone, value)
    assert talk.votes() == 2
    assert talk.voted(one) == 2
    talk.go("paper", 2, None)
    assert talk.tally("paper", 2) == Tally(2, counts=(0, 2))


def test_nothing_is_told_before_the_answer_and_nothing_counts_after_it(talk):
    phone = talk.join()
    talk.go("paper", 2, WHO)
    talk.vote(phone, 1.0)
    assert talk.tally("paper", 2) is None
    assert talk.table()["votes"] == []
    talk.go("paper", 2, None)
    with pytest.raises(InputError, match="no question is open"):
        talk.vote(phone, 2.0)
    assert talk.tally("paper", 2).counts == (1, 0)


def test_going_back_asks_again_and_goes_on_with_the_votes(talk):
    phone = talk.join()
    talk.go("paper", 2, WHO)
    talk.vote(phone, 1.0)
    talk.go("paper", 3, None)
    talk.go("paper", 2, WHO)
    assert talk.votes() == 1
    talk.go("paper", 2, FAR)  # the lecturer has rewritten the question meanwhile
    assert talk.votes() == 0


def test_leaving_a_question_without_its_answer_closes_it(talk):
    phone = talk.join()
    talk.go("paper", 2, WHO)
    talk.go("paper", 5, None)
    with pytest.raises(InputError, match="no question is open"):
        talk.vote(phone, 1.0)


@pytest.mark.parametrize("value", [0.0, 3.0, 1.5, float("nan"), float("inf"), -1.0])
def test_an_answer_that_there_is_not_is_refused(talk, value):
    phone = talk.join()
    talk.go("paper", 2, WHO)
    with pytest.raises(InputError, match="a choice, 1 to 2"):
        talk.vote(phone, value)
    talk.go("paper", 3, FAR)
    if not 0 <= value <= 2:
        with pytest.raises(InputError, match="0 to 2"):
            talk.vote(phone, value)
    assert talk.votes() == 0


def test_a_phone_that_has_not_joined_has_no_vote(talk):
    talk.go("paper", 2, WHO)
    with pytest.raises(InputError):
        talk.vote("made-up", 1.0)


def test_a_phone_that_comes_back_is_the_same(talk):
    phone = talk.join()
    assert talk.join(phone) == phone
    assert talk.join("made-up") not in ("made-up", phone)
    assert len(talk.phones) == 2


def test_sixty_threads_lose_no_vote(talk):
    talk.go("paper", 2, FAR)
    phones = [talk.join() for _ in range(60)]
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda i: talk.vote(phones[i % 60], (i % 60) / 60), range(240)))
    assert talk.votes() == 60
    talk.go("paper", 2, None)
    assert talk.tally("paper", 2).values == tuple(i / 60 for i in range(60))


def test_the_table_has_a_row_for_each_answer_and_no_phone(talk):
    phones = [talk.join() for _ in range(3)]
    talk.go("paper", 2, WHO)
    for phone in phones:
        talk.vote(phone, 2.0)
    talk.go("paper", 3, FAR)
    talk.vote(phones[0], 0.5)
    talk.go("paper", 4, None)
    table = talk.table()
    assert list(zip(table["step"], table["answer"], table["votes"], table["n"], strict=True)) == [
        (2, "standard", 0, 3),
        (2, "robust", 3, 3),
        (3, "0.5", 1, 1),
    ]
    assert not any(phone in str(table) for phone in phones)


def test_it_ends_some_time_after_its_lecturer_has_left(rooms, talk, clock):
    with talk.attended():
        clock.now += room.AWAY_S + 1
        assert rooms.joined(talk.code) is talk
    clock.now += room.AWAY_S - 1
    assert rooms.joined(talk.code) is talk, "a reload takes a moment"
    clock.now += 2
    assert rooms.joined(talk.code) is None
    assert talk.ended
    assert not talk.phones


def test_it_ends_after_a_long_time_without_a_step(rooms, talk, clock):
    with talk.attended():
        clock.now += room.IDLE_S + 1
        assert rooms.find(talk.key) is None


def test_a_reload_finds_the_talk_by_its_key_and_a_stranger_does_not(rooms, talk):
    assert rooms.begin(talk.key) is talk
    assert rooms.begin("guessed") is not talk
    assert rooms.find(talk.code) is None, "the code that everybody sees is no key"


def test_ending_a_room_forgets_it_and_tells_who_listens(rooms, talk):
    heard = []
    stop = talk.listen(lambda: heard.append(talk.ended))
    talk.join()
    rooms.end(talk)
    assert heard == [False, True]
    assert rooms.joined(talk.code) is None
    stop()
    talk.go("paper", 1, None)
    assert len(heard) == 2


def test_codes_are_short_upper_case_and_different(rooms):
    codes = [rooms.invite(rooms.begin()) for _ in range(server.MOST_TALKS)]
    assert len(set(codes)) == server.MOST_TALKS
    assert all(len(code) == 4 and set(code) <= set(server.LETTERS) for code in codes)
    assert rooms.joined(f" {codes[-1].lower()} ") is not None


def test_servers_of_several_are_told_apart_by_a_letter():
    rooms = Rooms(first="B")
    found = rooms.begin()
    assert rooms.invite(found)[0] == "B"
    assert len(found.code) == 4
    assert found.key.startswith("B.")
    with pytest.raises(InputError, match="one letter of"):
        Rooms(first="AB")


def test_all_is_bounded(rooms, talk, monkeypatch):
    monkeypatch.setattr(room, "MOST_PHONES", 3)
    for _ in range(3):
        talk.join()
    with pytest.raises(InputError, match="this room is full"):
        talk.join()
    for step in range(1, room.MOST_BALLOTS + 10):
        talk.go("paper", step, WHO)
    assert len(talk.ballots) == room.MOST_BALLOTS
    for _ in range(server.MOST_TALKS + 10):
        rooms.begin()
    assert rooms.find(talk.key) is talk, "a room with a code gives way last"
    assert len(rooms._talks) == server.MOST_TALKS


def test_the_second_window_turns_the_first(talk):
    heard = []
    talk.listen(lambda: heard.append(talk.turned))
    talk.turn(1)
    talk.turn(-1)
    assert heard == [1, 0]
