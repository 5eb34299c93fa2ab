// A far end that shares no code with the router: cpp-httplib's server, and plain sockets for syslog. It keeps
// the books of every record that it gets, and how long each took since its sender stamped it.
//
//   httplib_far_end [--keep-alive N] [--receive-buffer BYTES]
//
// says `http=PORT syslog=PORT` and serves until its standard input ends.
//
//   POST /in/NAME[/…]    takes logplex-1 and answers as NAME was told to, 200 at first
//   PUT  /control/NAME   {"status":503,"headers":{"Retry-After":"7"},"refuse":"TEXT","most":BYTES,"times":N}:
//                        how to answer; `refuse`: only bodies with TEXT, `most`: only those that are larger,
//                        `times`: only the next N of these
//   GET  /books/NAME     the books of NAME; what came by syslog stands under `syslog`
//   GET  /tries/NAME     each request of it
//   GET  /phase/NAME/PHASE  how many records of a phase came
//   GET  /times/NAME/PHASE  when each of them was sent and came, in nanoseconds
//
// The message of a record is `PHASE NUMBER NANOSECONDS …`: numbers count from 0 on, nanoseconds are the
// monotonic clock's when it was sent.

#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

using nlohmann::json;

constexpr size_t kMostTold = 200;  // of each list in the books
constexpr size_t kMostTries = 20'000;

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// What is behind the `fields`th blank; nothing if there are fewer.
std::optional<std::string_view> behind(std::string_view text, int fields) {
  for (; fields > 0; --fields) {
    const size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    text.remove_prefix(blank + 1);
  }
  return text;
}

struct Rule {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string refuse;  // empty: the status is for all
  size_t most = 0;     // 0: no bound
  int64_t times = -1;  // left; -1: for ever
};

/// The books of one drain. Any thread, one at a time.
class Books {
 public:
  void set(const json& order) {
    rule_ = {};
    rule_.status = order.value("status", 200);
    rule_.refuse = order.value("refuse", "");
    rule_.most = order.value("most", size_t(0));
    rule_.times = order.value("times", int64_t(-1));
    if (order.contains("headers")) rule_.headers = order["headers"];
  }

  Rule answer_to(const std::string& body) {
    const bool applies = (rule_.refuse.empty() && !rule_.most) ||
                         (!rule_.refuse.empty() && body.find(rule_.refuse) != std::string::npos) ||
                         (rule_.most && body.size() > rule_.most);
    if (!applies || rule_.times == 0) return {};
    if (rule_.times > 0) --rule_.times;
    return rule_;
  }

  void request(const httplib::Request& in, int status) {
    const int64_t at = now_ns();
    const std::string id = in.get_header_value("Logplex-Frame-Id");
    const std::string count = in.get_header_value("Logplex-Msg-Count");
    if (tries_.size() < kMostTries) tries_.push_back({at, id, status, count, in.body.size()});
    ++requests_;
    if (in.get_header_value("Content-Type") != "application/logplex-1") bad("Content-Type");
    if (id.size() != 32) bad("Logplex-Frame-Id '" + id + "'");
    const auto [seen, first] = bodies_.emplace(id, std::hash<std::string>()(in.body));
    if (!first && seen->second != std::hash<std::string>()(in.body)) bad("another body under frame id " + id);
    if (status / 100 != 2) return;
    if (!taken_.emplace(id, 0).second) {
      ++repeated_frames_;
      return;
    }
    size_t frames = 0;
    if (take(in.body, 6, at, frames) != in.body.size()) bad("a body that is no row of frames");
    if (std::to_string(frames) != count) bad("Logplex-Msg-Count " + count + " of " + std::to_string(frames));
  }

  /// Octet-counted frames whose message stands behind `fields` blanks; the bytes of those that are whole.
  size_t take(std::string_view bytes, int fields, int64_t at, size_t& frames) {
    const size_t size = bytes.size();
    while (true) {
      const size_t blank = bytes.find(' ');
      if (blank == std::string_view::npos) return size - bytes.size();
      const size_t length = std::strtoull(std::string(bytes.substr(0, blank)).c_str(), nullptr, 10);
      if (length == 0) {
        bad("a length that is none");
        return size - bytes.size();
      }
      if (bytes.size() - blank - 1 < length) return size - bytes.size();
      record(bytes.substr(blank + 1, length), fields, at);
      ++frames;
      bytes.remove_prefix(blank + 1 + length);
    }
  }

  json told() const {
    return {{"requests", requests_}, {"repeated_frames", repeated_frames_},
            {"records", records_},   {"first", first_},
            {"next", high_},         {"backs", backs_},
            {"gaps", gaps_},         {"bad", bad_},
            {"notices", notices_}};
  }

  json tries() const {
    json tries = json::array();
    for (const Try& one : tries_)
      tries.push_back({{"at", double(one.at) / 1e9},
                       {"id", one.id},
                       {"status", one.status},
                       {"count", one.count},
                       {"bytes", one.bytes}});
    return tries;
  }

  json times(const std::string& phase) const {
    const auto found = phases_.find(phase);
    return found == phases_.end() ? json::array() : json(found->second);
  }

  size_t count_of(const std::string& phase) const {
    const auto found = phases_.find(phase);
    return found == phases_.end() ? 0 : found->second.size();
  }

 private:
  struct Try {
    int64_t at;
    std::string id;
    int status;
    std::string count;
    size_t bytes;
  };

  void record(std::string_view frame, int fields, int64_t at) {
    if (frame.starts_with("<172>1 ") && frame.find(" heroku logplex - ") != std::string_view::npos) {
      if (notices_.size() < kMostTold) notices_.push_back(frame);
      return;
    }
    const auto message = behind(frame, fields);
    char phase[32];
    long long number = 0, sent = 0;
    if (!message || std::sscanf(std::string(message->substr(0, 80)).c_str(), "%31s %lld %lld", phase, &number,
                                &sent) != 3)
      return bad("a record that nobody sent");
    ++records_;
    if (first_ < 0)
      first_ = number;
    else if (number <= last_)
      note(backs_, number, last_);
    else if (number != last_ + 1)
      note(gaps_, last_ + 1, number);
    last_ = number;
    if (number < high_) return;  // known already: of no phase
    high_ = number + 1;
    phases_[phase].emplace_back(sent, at);
  }

  static void note(json& list, int64_t a, int64_t b) {
    if (list.size() < kMostTold) list.push_back({a, b});
  }
  void bad(const std::string& what) {
    if (bad_.size() < kMostTold) bad_.push_back(what);
  }

  Rule rule_;
  uint64_t requests_ = 0, repeated_frames_ = 0, records_ = 0;
  int64_t first_ = -1, last_ = -1, high_ = 0;
  json backs_ = json::array();  // [number, the one before it]: came again from there on
  json gaps_ = json::array();   // [the one missing, number that came in its place]
  json bad_ = json::array(), notices_ = json::array();
  std::vector<Try> tries_;
  std::unordered_map<std::string, size_t> bodies_, taken_;                  // by frame id
  std::map<std::string, std::vector<std::pair<int64_t, int64_t>>> phases_;  // sent, came
};

std::mutex mutex;  // of all_books
std::map<std::string, Books> all_books;

void serve_syslog(int connection) {
  std::string held;
  char bytes[65'536];
  while (true) {
    const ssize_t got = ::recv(connection, bytes, sizeof bytes, 0);
    if (got <= 0) break;
    const int64_t at = now_ns();
    held.append(bytes, size_t(got));
    const std::lock_guard lock(mutex);
    size_t frames = 0;
    held.erase(0, all_books["syslog"].take(held, 7, at, frames));
  }
  ::close(connection);
}

int listen_syslog(int receive_buffer, uint16_t& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer) ::setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener, 64) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return -1;
  port = ntohs(at.sin_port);
  return listener;
}

std::string name_in(const httplib::Request& request) {
  return request.matches[1].str();
}

}  // namespace

int main(int count, char** arguments) {
  size_t keep_alive = 1'000'000;
  int receive_buffer = 0;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view flag = arguments[i];
    if (flag == "--keep-alive") keep_alive = std::strtoull(arguments[i + 1], nullptr, 10);
    if (flag == "--receive-buffer") receive_buffer = std::atoi(arguments[i + 1]);
  }

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(32); };
  server.set_keep_alive_max_count(keep_alive);
  server.set_keep_alive_timeout(1);  // its end waits for idle connections
  server.set_tcp_nodelay(true);
  server.Post("/in/([^/?]+).*", [](const httplib::Request& in, httplib::Response& out) {
    const std::lock_guard lock(mutex);
    Books& books = all_books[name_in(in)];
    const Rule rule = books.answer_to(in.body);
    books.request(in, rule.status);
    out.status = rule.status;
    for (const auto& [name, value] : rule.headers) out.set_header(name, value);
    out.set_content("said", "text/plain");
  });
  server.Put("/control/([^/]+)", [](const httplib::Request& in, httplib::Response& out) {
    const json order = json::parse(in.body, nullptr, false);
    if (!order.is_object()) {
      out.status = 400;
      return;
    }
    const std::lock_guard lock(mutex);
    all_books[name_in(in)].set(order);
  });
  server.Get("/books/([^/]+)", [](const httplib::Request& in, httplib::Response& out) {
    const std::lock_guard lock(mutex);
    out.set_content(all_books[name_in(in)].told().dump(), "application/json");
  });
  server.Get("/tries/([^/]+)", [](const httplib::Request& in, httplib::Response& out) {
    const std::lock_guard lock(mutex);
    out.set_content(all_books[name_in(in)].tries().dump(), "application/json");
  });
  server.Get("/phase/([^/]+)/([^/]+)", [](const httplib::Request& in, httplib::Response& out) {
    const std::lock_guard lock(mutex);
    out.set_content(std::to_string(all_books[name_in(in)].count_of(in.matches[2].str())), "text/plain");
  });
  server.Get("/times/([^/]+)/([^/]+)", [](const httplib::Request& in, httplib::Response& out) {
    const std::lock_guard lock(mutex);
    out.set_content(all_books[name_in(in)].times(in.matches[2].str()).dump(), "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  uint16_t syslog_port = 0;
  const int listener = listen_syslog(receive_buffer, syslog_port);
  if (port <= 0 || listener < 0) {
    std::cerr << "no ports\n";
    return 1;
  }
  std::thread([listener] {
    while (true) {
      const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) std::thread(serve_syslog, connection).detach();
    }
  }).detach();
  std::thread([&server] { server.listen_after_bind(); }).detach();
  std::cout << "http=" << port << " syslog=" << syslog_port << std::endl;
  while (std::cin.get() != EOF) {
  }
  std::_Exit(0);  // nothing is left to be kept
}
