#include "web/tail_text.h"

namespace tailrace {

bool matches(const TailQuery& query, const Record& record) {
  if (!query.source.empty() && record.app() != query.source) return false;
  if (query.ps.empty()) return true;
  const std::string_view procid = record.procid();
  if (!procid.starts_with(query.ps)) return false;
  return procid.size() == query.ps.size() || procid[query.ps.size()] == '.';
}

bool matches_all(const TailQuery& query) {
  return query.source.empty() && query.ps.empty();
}

void append_line(std::string& out, const Record& record) {
  out += record.time();
  out += ' ';
  out += record.app();
  out += '[';
  out += record.procid();
  out += "]: ";
  out += record.message();
  if (!record.message().ends_with('\n')) out += '\n';
}

}  // namespace tailrace
