#include "web/history_routes.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include "channels/log.h"
#include "drains/frames.h"
#include "web/accept.h"
#include "web/chosen_history.h"
#include "web/tail_query.h"
#include "web/tail_text.h"

namespace tailrace {
namespace {

constexpr uint32_t kRead = 64 * 1024;
constexpr size_t kPiece = 64 * 1024;  // written at once

enum class Form : uint8_t { logplex, text, ndjson };

Form form_of(const HttpRequest& request) {
  return accepted_form<Form>(request, {{"application/logplex-1", Form::logplex},
                                       {"text/plain", Form::text},
                                       {"application/x-ndjson", Form::ndjson}})
      .value_or(Form::logplex);
}

/// As Logplex has it: the newline that ends a frame is counted.
void append_frame(std::string& out, const Record& record) {
  const size_t begin = out.size();
  out.resize(begin + LogplexFrames::size(record));
  LogplexFrames::write(record, out.data() + begin);
  if (record.message().ends_with('\n')) return;
  const size_t blank = out.find(' ', begin);
  const uint64_t length = out.size() - blank;  // with the newline, without the blank
  out.replace(begin, blank - begin, std::to_string(length));
  out += '\n';
}

HttpFields headers(Form form, uint64_t records, uint64_t skipped, const Channel& channel) {
  HttpFields fields{{"Content-Type", form == Form::logplex ? "application/logplex-1"
                                     : form == Form::text  ? "text/plain; charset=utf-8"
                                                           : "application/x-ndjson"},
                    {"Logplex-Msg-Count", std::to_string(records)},
                    {"Cache-Control", "no-store"},
                    {"X-Content-Type-Options", "nosniff"}};
  if (skipped) fields.add("Tailrace-Skipped", std::to_string(skipped));
  if (channel.no_history) fields.add("X-Heroku-Warning", "this channel keeps no history for readers.");
  return fields;
}

/// Reads all that is asked for before it begins to answer: the head says how many records follow. Lives in
/// its handler's coroutine, on its loop.
class HistoryAnswer final : public Task {
 public:
  HistoryAnswer(HttpExchange& exchange, const TailQuery& query)
      : exchange_(exchange),
        query_(query),
        cursor_(Cursor::Kind::tail, exchange.loop().pass, *this),
        wake_(exchange.loop().io),
        chosen_(query.filter, query.num.value_or(UINT64_MAX)) {}
  ~HistoryAnswer() override {
    cursor_.detach();
    exchange_.loop().pass.forget(*this);
  }

  asio::awaitable<void> run() {
    const Form form = form_of(exchange_.request);
    if (!query_.channel->no_history) co_await gather();
    uint64_t skip = chosen_.too_many();
    const uint64_t records = chosen_.matching() - skip;
    bool written = co_await exchange_.begin_stream(
        200, headers(form, records, skipped_ + chosen_.given_up(), *query_.channel));
    std::string out;
    while (written && !chosen_.empty()) {
      append(out, form, chosen_.take_oldest(), skip);
      if (out.size() < kPiece && !chosen_.empty()) continue;
      written = co_await exchange_.write(out);
      out.clear();
    }
  }

 private:
  void run_task() override {
    if (waiting_) wake_.cancel();
  }

  asio::awaitable<void> gather() {
    cursor_.attach(*query_.channel->log, query_.beginning());
    for (;;) {
      Read read = cursor_.read(kRead);
      skipped_ += read.loss.records;
      if (read.live) co_return;
      if (!read.empty()) {
        chosen_.add(std::move(read));
        co_await asio::post(exchange_.loop().io, asio::use_awaitable);  // others have their turn
      } else if (query_.channel->removed) {
        co_return;
      } else if (cursor_.park()) {
        waiting_ = true;
        wake_.expires_at(Mono::max());
        co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
        waiting_ = false;
      }
    }
  }

  void append(std::string& out, Form form, const Read& read, uint64_t& skip) const {
    for (Position at = read.slice.first; const Record record : read.slice) {
      const Position position = {at.value++};
      if (query_.filter && !query_.filter->wants(record)) continue;
      if (skip) {
        --skip;
      } else if (form == Form::logplex) {
        append_frame(out, record);
      } else {
        append_record(out, form == Form::text ? TailForm::text : TailForm::ndjson, position, record);
      }
    }
  }

  HttpExchange& exchange_;
  const TailQuery& query_;
  Cursor cursor_;
  asio::steady_timer wake_;
  bool waiting_ = false;
  ChosenHistory chosen_;
  uint64_t skipped_ = 0;
};

asio::awaitable<void> answer(WebServices& services, HttpExchange& exchange) {
  TailFields fields = read_tail_fields(tail_fields_of(exchange.request), wall_now());
  fields.query.channel = services.catalog.channel(exchange.request.param("c"));
  if (!fields.query.channel) {
    co_await exchange.respond(http_error(404, "Not Found"));
    co_return;
  }
  if (!fields.error.empty()) {
    co_await exchange.respond(http_error(422, fields.error));
    co_return;
  }
  if (fields.since) {
    const Result<void> found = co_await begin_since(fields.query, *fields.since, services.blocking);
    if (!found) {
      co_await exchange.respond(http_error(503, "the data dir could not be read"));
      co_return;
    }
  }
  HistoryAnswer history(exchange, fields.query);
  co_await history.run();
}

}  // namespace

void add_history_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  routes.add(
      "GET", "/v3/channels/:c/logs",
      [&services](HttpExchange& exchange) { return answer(services, exchange); }, gate);
}

}  // namespace tailrace
