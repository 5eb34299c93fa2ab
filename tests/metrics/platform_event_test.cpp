#include "metrics/lines/platform_event.h"

#include <doctest/doctest.h>

#include <string>

#include "metrics/lines/code.h"

using namespace tailrace;

namespace {

constexpr int kNone = -1;

struct KnownLine {
  const char *app, *procid, *message;
  int event;         // a PlatformEvent, or kNone
  const char* code;  // of APP heroku; "": none
};

constexpr int kDeploy = static_cast<int>(PlatformEvent::deploy),
              kScale = static_cast<int>(PlatformEvent::scale),
              kRestart = static_cast<int>(PlatformEvent::restart),
              kCrash = static_cast<int>(PlatformEvent::crash),
              kConfig = static_cast<int>(PlatformEvent::config);

// clang-format off
constexpr KnownLine kLines[] = {
    // Real lines of dynos, the platform and its logging.
    {"heroku", "web.1", "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch", kNone, "R10"},
    {"heroku", "worker.1", "Error R12 (Exit timeout) -> Process failed to exit within 30 seconds of SIGTERM", kNone, "R12"},
    {"app", "run.3", "Error R13 (Attach error) -> Failed to attach to process", kNone, ""},
    {"heroku", "worker.1", "Process running mem=1028MB(103.3%)", kNone, ""},
    {"heroku", "worker.1", "Error R14 (Memory quota exceeded)", kNone, "R14"},
    {"heroku", "worker.1", "Process running mem=646M(126.2%)", kNone, ""},
    {"heroku", "worker.1", "Error R15 (Memory quota vastly exceeded)", kNone, "R15"},
    {"heroku", "run.1", "Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed.", kNone, "R16"},
    {"heroku", "web.1", "Error R17 (Checksum error) -> Checksum does match expected value. Expected: SHA256:ed5718e83475c780145609cbb2e4f77ec8076f6f59ebc8a916fb790fbdb1ae64 Actual: SHA256:9ca15af16e06625dfd123ebc3472afb0c5091645512b31ac3dd355f0d8cc42c1", kNone, "R17"},
    {"heroku", "logplex", "Error L10 (output buffer overflow): 500 messages dropped since 2013-04-17T19:04:46+00:00.", kNone, "L10"},
    {"heroku", "logplex", "Error L10 (output buffer overflow): 20 messages dropped since 2016-10-11T09:43:19+00:00.", kNone, "L10"},
    {"heroku", "logplex", "Error L10 (output buffer overflow): 1 messages dropped since 2023-02-11T20:46:37.307999+00:00.", kNone, "L10"},
    {"heroku", "logplex", "Error L10 (output buffer overflow): drain 'd.ef81114b-2b88-4af4-b518-15b6ece6cbc0' dropped 1 messages since 2022-04-21T19:02:23.625396+00:00.", kNone, "L10"},
    {"heroku", "logplex", "L11 (Tail buffer overflow) -> This tail session dropped 1101 messages since 2011-05-03T17:35:00+00:00", kNone, ""},
    {"heroku", "logplex", "Error L11 (Tail buffer overflow) -> This tail session dropped 1 messages since [...] UTC.", kNone, "L11"},
    {"app", "log-shuttle", "Error L12: 222 messages dropped since 2013-11-04T21:31:32.125756+00:00.", kNone, ""},
    {"app", "log-shuttle", "Error L13: 111 messages lost since 2013-11-04T21:31:32.125756+00:00.", kNone, ""},
    {"heroku", "logplex", "Error L14 (certificate validation): error=\"bad certificate\" uri=\"syslog+tls://logs.example.com:6514/\"", kNone, "L14"},
    {"app", "web.3", "State changed from starting to up", kNone, ""},
    {"app", "web.3", "Starting process with command `bundle exec rackup config.ru -p 24405`", kNone, ""},
    {"heroku", "web.1", "Stopping all processes with SIGTERM", kNone, ""},
    {"heroku", "web.1", "Process exited with status 0", kNone, ""},
    {"heroku", "web.1", "State changed from starting to crashed", kCrash, ""},
    {"app", "api", "Scaled to web@4:Standard-1X by user heroku.hirefire.api@thermondo.de", kScale, ""},
    {"app", "api", "Release v48 created by user david.saradini@me.com", kDeploy, ""},
    // Of the same shape.
    {"app", "api", "Deploy 1a2b3c4d by user a@example.com", kDeploy, ""},
    {"app", "api", "Rollback to v46 by user a@example.com", kDeploy, ""},
    {"app", "api", "Scale to web=4 by a@example.com", kScale, ""},
    {"app", "api", "Set FOO, BAR config vars by user a@example.com", kConfig, ""},
    {"app", "api", "Remove FOO config vars by user a@example.com", kConfig, ""},
    {"heroku", "web.1", "Restarting", kRestart, ""},
    {"heroku", "web.1", "Restarting\n", kRestart, ""},
    {"heroku", "web.1", "Cycling", kRestart, ""},
    {"heroku", "web.1", "State changed from up to starting", kRestart, ""},
    {"heroku", "web.1", "State changed from up to starting\n", kRestart, ""},
    {"heroku", "web.1", "State changed from up to crashed\n", kCrash, ""},
    {"heroku", "web.1", "State changed from starting to up", kNone, ""},
    {"heroku", "web.1", "State changed from up to down", kNone, ""},
    {"heroku", "web.1", "Process exited with status 143", kNone, ""},
    {"heroku", "web.1", "Process exited with status 1", kNone, ""},
    // What a user may print, and what only looks alike.
    {"app", "web.1", "Release v48 created by user me", kNone, ""},
    {"app", "web.1", "State changed from up to crashed", kNone, ""},
    {"app", "api.1", "Deploy 1a2b3c by user me", kNone, ""},
    {"App", "api", "Deploy 1a2b3c by user me", kNone, ""},
    {"app", "api", "Restarting", kNone, ""},
    {"heroku", "api", "Deploy 1a2b3c by user me", kNone, ""},
    {"app", "api", " Deploy 1a2b3c by user me", kNone, ""},
    {"app", "api", "Set up something by user me", kNone, ""},
    {"app", "api", "Releases are fun", kNone, ""},
    {"app", "api", "Build started by user me", kNone, ""},
    {"heroku", "web.1", "Restarting soon", kNone, ""},
    {"heroku", "web.1", "", kNone, ""},
};
// clang-format on

}  // namespace

TEST_CASE("what the platform says it did, and its codes") {
  for (const KnownLine& line : kLines) {
    CAPTURE(std::string(line.app));
    CAPTURE(std::string(line.message));
    const auto event = platform_event(line.app, line.procid, line.message);
    CHECK((event ? static_cast<int>(*event) : kNone) == line.event);
    const int code = std::string_view(line.app) == "heroku" ? leading_code(line.message) : kNoCode;
    CHECK(code == code_number(line.code));
  }
}

TEST_CASE("names of events") {
  CHECK(platform_event_name(PlatformEvent::deploy) == "deploy");
  CHECK(platform_event_name(PlatformEvent::scale) == "scale");
  CHECK(platform_event_name(PlatformEvent::restart) == "restart");
  CHECK(platform_event_name(PlatformEvent::crash) == "crash");
  CHECK(platform_event_name(PlatformEvent::config) == "config");
}
