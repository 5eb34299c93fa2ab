#include "channels/disk/group_writer.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/disk/store_fixture.h"

using namespace tailrace;

namespace {

/// Writes groups of channel 7 and takes back what failed, as its log would.
struct Writes {
  explicit Writes(SimpleKeeper& its_keeper)
      : keeper(its_keeper), writer(keeper.parts(), {0, 0, 1, kMarkStep}) {}

  bool group(const std::vector<std::string>& messages, const std::vector<PostVerdict>& posts = {}) {
    const StoredSlice slice{7, ordinal, make_slice(number, messages)};
    const auto done = writer.write(std::span(&slice, messages.empty() ? 0 : 1), posts, false, kTestTime);
    if (done) {
      for (size_t i = 0; i < messages.size(); ++i) expected.push_back({ordinal + i, number + i, messages[i]});
      ordinal += messages.size();
    }
    number += messages.size();  // never used again
    return done.has_value();
  }

  SimpleKeeper& keeper;
  GroupWriter writer;
  uint64_t ordinal = 0, number = 1000;
  std::vector<Known> expected;
};

}  // namespace

TEST_CASE("group_writer: groups go on in the next segment, and a start finds all of them") {
  SimpleKeeper keeper(kEntriesAt + 4096);
  Writes w(keeper);
  REQUIRE(w.group({}));
  CHECK(w.writer.mark().value == kMarkStep);
  for (int i = 0; i < 60; ++i)
    REQUIRE(w.group(std::vector<std::string>(1 + i % 7, "message " + std::to_string(i))));
  REQUIRE(w.group(std::vector<std::string>(100, "more than a segment holds"), {{{1}, kTestTime, 100, ""}}));
  CHECK(keeper.next_segment > 10);
  CHECK(read_channel(keeper.segments, 7) == w.expected);
  CHECK(keeper.seals == keeper.next_segment - 2);  // all but the head

  const Started started(keeper.options());
  REQUIRE_FALSE(started.failed);
  CHECK(read_channel(started.segments, 7) == w.expected);
  CHECK(started.recovered.entries == w.expected.size() + 1);
  CHECK(started.recovered.posts.size() == 1);
  CHECK(started.recovered.loss.missing_entries == 0);
  CHECK(started.recovered.loss.damaged_stretches == 0);
  CHECK(started.recovered.unsealed.size() == 1);
  w.writer.finish();
  CHECK(Started(keeper.options()).recovered.unsealed.empty());
}

TEST_CASE("group_writer: the mark is raised by a group, and comes back") {
  SimpleKeeper keeper;
  Writes w(keeper);
  REQUIRE(w.group({}));
  w.writer.raise_mark();
  CHECK(w.writer.mark().value == kMarkStep);  // not before it is synced
  {
    const ScopedHook hook(
        [](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::sync ? EIO : 0; });
    CHECK_FALSE(w.group({"lost"}));
  }
  CHECK(w.writer.mark().value == kMarkStep);
  REQUIRE(w.group({"a"}));
  CHECK(w.writer.mark().value == 2 * kMarkStep);
  CHECK(Started(keeper.options()).recovered.mark == 2 * kMarkStep);
}

TEST_CASE("group_writer: without a next segment nothing is taken, and later everything is") {
  SimpleKeeper keeper(kEntriesAt + 2048);
  keeper.segments_left = 1;
  Writes w(keeper);
  while (w.group({"a message"})) continue;
  CHECK(w.expected.size() > 5);
  CHECK_FALSE(w.group({"no"}));
  CHECK_FALSE(w.group(std::vector<std::string>(100, "no")));
  CHECK(read_channel(keeper.segments, 7) == w.expected);
  keeper.segments_left = 100;
  REQUIRE(w.group({"yes"}));
  REQUIRE(w.group(std::vector<std::string>(100, "yes")));
  CHECK(read_channel(keeper.segments, 7) == w.expected);
  CHECK(read_channel(Started(keeper.options()).segments, 7) == w.expected);
}

TEST_CASE(
    "group_writer: whichever step of the disk fails, once or for good, what was taken is there and the rest "
    "is not") {
  // A fault at the n-th step of writing; the groups before, during and after it.
  for (const int kind : {0, 1, 2, 3})
    for (int fault = 1; fault < 60; ++fault) {
      const bool for_good = kind % 2 == 1, lazy = kind >= 2;
      CAPTURE(lazy);
      CAPTURE(for_good);
      CAPTURE(fault);
      SimpleKeeper keeper(kEntriesAt + 4096);
      keeper.lazy = lazy;  // then only what begins say keeps void groups out
      Writes w(keeper);
      int step_number = 0, faults = 0;
      std::vector<bool> taken;
      {
        const ScopedHook hook([&](const IoStep& step, size_t& allowed) {
          if (step.kind != IoStep::Kind::write && step.kind != IoStep::Kind::sync) return 0;
          const bool fails = for_good ? ++step_number >= fault : ++step_number == fault;
          if (!fails) return 0;
          ++faults;
          allowed = 100;
          return step.kind == IoStep::Kind::write && faults % 2 ? 0 : EIO;  // now and then short, then failed
        });
        for (int i = 0; i < 8; ++i)
          taken.push_back(w.group(std::vector<std::string>(size_t(1 + i * 6), "m" + std::to_string(i)),
                                  {{{uint8_t(i)}, kTestTime, uint32_t(i), ""}}));
      }
      if (!for_good) REQUIRE(taken == std::vector<bool>(8, true));  // written again in the next segment
      const auto posts = size_t(std::count(taken.begin(), taken.end(), true));
      REQUIRE(read_channel(keeper.segments, 7) == w.expected);
      {
        const Started started(keeper.options());  // as after kill -9 now
        REQUIRE_FALSE(started.failed);
        const auto read = read_channel(started.segments, 7);
        // What was refused last has no begin behind it that calls it void, if the disk failed for good.
        REQUIRE(read.size() >= w.expected.size());
        REQUIRE(std::equal(w.expected.begin(), w.expected.end(), read.begin()));
        if (!for_good) REQUIRE(read == w.expected);
      }
      REQUIRE(w.group({"after"}));
      REQUIRE(read_channel(keeper.segments, 7) == w.expected);
      const Started started(keeper.options());
      const auto read = read_channel(started.segments, 7);
      REQUIRE_MESSAGE(read == w.expected, to_text(read));
      REQUIRE(started.recovered.posts.size() == posts);
      REQUIRE(started.recovered.loss.missing_entries == 0);
      REQUIRE(started.recovered.loss.damaged_stretches == 0);
      REQUIRE(started.recovered.entries == w.expected.size() + posts);
    }
}

TEST_CASE("group_writer: a post of a group that is torn does not count (D14)") {
  SimpleKeeper keeper;
  Writes w(keeper);
  REQUIRE(w.group({"a"}, {{{1}, kTestTime, 1, ""}}));
  REQUIRE(w.group({"b"}, {{{2}, kTestTime, 1, ""}}));
  CHECK(Started(keeper.options()).recovered.posts.size() == 2);
  const SegmentPtr head = keeper.segments.oldest();
  const auto entries =
      scan_slowly(file_bytes(head->file.path()), head->header.salts.crc, head->header.salts.seal).entries;
  REQUIRE(entries.size() == 7);
  const std::byte junk[1]{std::byte{1}};
  SUBCASE("its record") {
    File::open_to_write(head->file.path()).value().write(entries[5].offset + 60, junk).value();
  }
  SUBCASE("its group entry") {
    File::open_to_write(head->file.path()).value().write(entries[4].offset + 60, junk).value();
  }
  const Started started(keeper.options());
  REQUIRE(started.recovered.posts.size() == 1);
  CHECK(started.recovered.posts[0].key[0] == 1);
}
