// A process that ends at each named step of writing, and the start behind it.

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "channels/disk/crash_point.h"
#include "tests/disk/store_fixture.h"

using namespace tailrace;

namespace {

std::vector<std::string> messages_of(uint64_t group) {
  return std::vector<std::string>(1 + group * 2,
                                  "group " + std::to_string(group) + std::string(group % 90, '.'));
}

/// What a writer does until it ends or is ended: one byte into the pipe for each group that was acknowledged.
void write_until_the_end(SimpleKeeper& keeper, const Recovered& found, int life, int acknowledged) {
  keeper.next_segment = found.next_segment;
  GroupWriter writer(keeper.parts(),
                     {found.last_segment, found.entries, found.next_group, found.mark + kMarkStep});
  uint64_t ordinal = found.channels.size() > 7 ? found.channels[7].end_ordinal : 0;
  uint64_t number = found.base(0, 0).value + 1;
  for (uint64_t group = 0; group < 25; ++group) {
    const auto messages = messages_of(group);
    const StoredSlice slice{7, ordinal, make_slice(number, messages)};
    const PostVerdict post{{uint8_t(group), uint8_t(life)}, kTestTime, uint32_t(group), ""};
    if (!writer.write(std::span(&slice, 1), std::span(&post, 1), false, kTestTime)) ::_exit(3);
    ordinal += messages.size(), number += messages.size();
    if (::write(acknowledged, "+", 1) != 1) ::_exit(4);
  }
  writer.finish();
}

}  // namespace

TEST_CASE(
    "crash: wherever the writer ends, what was acknowledged is there, in order, once (D1, D3, D8, D14)") {
  int crashes = 0;
  for (const char* name : {"segment.allocated", "segment.header_synced", "segment.dir_synced", "group.begun",
                           "group.partly_written", "group.written", "group.synced", "seal.truncated",
                           "seal.written", "seal.synced"})
    for (const int times : {1, 2, 5, 9}) {
      CAPTURE(std::string(name));
      CAPTURE(times);
      SimpleKeeper keeper(kEntriesAt + 24'576);
      std::vector<Known> before;
      for (int life = 0; life < 3; ++life) {  // each start has the crash of the one before behind it
        CAPTURE(life);
        Started started(keeper.options());
        REQUIRE_FALSE(started.failed);
        int pipe[2];
        REQUIRE(::pipe(pipe) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
          ::setenv("TAILRACE_CRASHPOINT", (std::string(name) + ":" + std::to_string(times)).c_str(), 1);
          arm_crash_point();
          write_until_the_end(keeper, started.recovered, life, pipe[1]);
          ::_exit(0);
        }
        ::close(pipe[1]);
        uint64_t acknowledged = 0;
        for (char byte; ::read(pipe[0], &byte, 1) == 1;) ++acknowledged;
        ::close(pipe[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 137));
        crashes += WEXITSTATUS(status) == 137;
        if (times == 1) REQUIRE(WEXITSTATUS(status) == 137);  // the step is really met

        const Started after(keeper.options());
        REQUIRE_FALSE(after.failed);
        const std::vector<Known> read = read_channel(after.segments, 7);
        REQUIRE(read.size() >= before.size());
        REQUIRE(
            std::equal(before.begin(), before.end(), read.begin()));  // nothing of an earlier life changed
        size_t at = before.size();
        for (uint64_t group = 0; group < acknowledged; ++group)
          for (const std::string& m : messages_of(group)) {
            REQUIRE(at < read.size());
            REQUIRE(read[at++].message == m);
          }
        // At most one group more, which nobody was told of, perhaps in part.
        REQUIRE(read.size() - at <= messages_of(acknowledged).size());
        for (size_t i = 1; i < read.size(); ++i) {
          REQUIRE(read[i].ordinal == i);
          REQUIRE(read[i].number > read[i - 1].number);
        }
        REQUIRE(after.recovered.loss.missing_entries == 0);
        REQUIRE(after.recovered.loss.damaged_stretches == 0);
        uint64_t posts = 0;
        for (const PostVerdict& post : after.recovered.posts) {
          if (post.key[1] != life) continue;
          ++posts;
          if (post.accepted == acknowledged) REQUIRE(read.size() - at == messages_of(acknowledged).size());
        }
        REQUIRE(posts >= acknowledged);
        REQUIRE(posts <= acknowledged + 1);
        before = read;
      }
    }
  CHECK(crashes > 60);
}
