#pragma once
// The slow, obvious twin of the filter: it never parses a filter's text, but makes the text from terms that
// it judges itself, by cutting the message into all its pairs first. Shares no code with the filter.

#include <cctype>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace tailrace {

struct TwinTerm {
  enum What { text, quoted_text, pair, app, procid, severity } what = text;
  bool negated = false;
  std::string name, op, value;
};

struct TwinCase {
  std::vector<std::vector<TwinTerm>> lists;
  std::string message, app, procid;
  int pri = 0;

  std::string text() const {
    std::string out;
    for (size_t i = 0; i < lists.size(); ++i) {
      if (i) out += "or ";
      for (const TwinTerm& term : lists[i]) {
        if (term.negated) out += '-';
        switch (term.what) {
          case TwinTerm::text:
            out += term.value;
            break;
          case TwinTerm::quoted_text:
            out += '"' + term.value + '"';
            break;
          case TwinTerm::pair:
            out += term.name + term.op + term.value;
            break;
          case TwinTerm::app:
            out += "@app" + term.op + term.value;
            break;
          case TwinTerm::procid:
            out += "@procid" + term.op + term.value;
            break;
          case TwinTerm::severity:
            out += "@severity" + term.op + term.value;
            break;
        }
        out += ' ';
      }
    }
    return out;
  }
};

/// The first value of each name.
inline std::map<std::string, std::string> twin_filter_pairs(const std::string& message) {
  std::map<std::string, std::string> pairs;
  const auto blank = [&](size_t i) { return static_cast<unsigned char>(message[i]) <= ' '; };
  for (size_t i = 0; i < message.size();) {
    if (blank(i)) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < message.size() && !blank(end)) ++end;
    const size_t equal = message.find('=', i);
    if (equal >= end) {
      i = end;
      continue;
    }
    const std::string name = message.substr(i, equal - i);
    std::string value = message.substr(equal + 1, end - equal - 1);
    if (!name.empty() && name.find('"') == std::string::npos && value.size() && value[0] == '"') {
      value.clear();
      bool closed = false;
      for (i = equal + 2; i < message.size() && !closed; ++i) {
        if (message[i] == '\\' && i + 1 < message.size()) {
          value += message.substr(i++, 2);
        } else if (message[i] == '"') {
          closed = true;
        } else {
          value += message[i];
        }
      }
      if (!closed) return pairs;
      while (i < message.size() && !blank(i)) ++i;
    } else {
      i = end;
    }
    pairs.emplace(name, value);
  }
  return pairs;
}

/// Millionths of the unit's base, whole numbers: the twin's have so few digits that they are exact.
struct TwinNumber {
  bool good = false;
  long double millionths = 0, plain = 0;
  char kind = 'n';  // n, t, b
};
inline TwinNumber twin_filter_number(const std::string& text) {
  TwinNumber out;
  size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
  std::string whole, places;
  while (i < text.size() && isdigit(static_cast<unsigned char>(text[i]))) whole += text[i++];
  if (i < text.size() && text[i] == '.') {
    ++i;
    while (i < text.size() && isdigit(static_cast<unsigned char>(text[i]))) places += text[i++];
  }
  if (whole.empty() && places.empty()) return out;
  if (whole.size() > 7 || places.size() > 6) return out;  // never made below
  places.resize(6, '0');
  const long long number = std::stoll("0" + whole) * 1'000'000 + std::stoll(places);
  static const std::map<std::string, std::pair<char, long long>> kUnits{
      {"", {'n', 1}},          {"us", {'t', 1}},         {"ms", {'t', 1000}},
      {"s", {'t', 1'000'000}}, {"m", {'t', 60'000'000}}, {"h", {'t', 3'600'000'000}},
      {"B", {'b', 1}},         {"kB", {'b', 1024}},      {"KB", {'b', 1024}},
      {"MB", {'b', 1 << 20}},  {"GB", {'b', 1 << 30}}};
  const auto unit = kUnits.find(text.substr(i));
  if (unit == kUnits.end()) return out;
  out.good = true;
  out.kind = unit->second.first;
  out.plain = static_cast<long double>(negative ? -number : number);
  out.millionths = out.plain * static_cast<long double>(unit->second.second);
  return out;
}

inline bool twin_order(const std::string& op, long double a, long double b) {
  return op == "<"    ? a < b
         : op == "<=" ? a <= b
         : op == ">"  ? a > b
         : op == ">=" ? a >= b
         : op == "="  ? a == b
                      : a != b;
}

inline bool twin_holds(const TwinTerm& term, const TwinCase& a_case) {
  static const std::vector<std::string> kSeverities{"emerg",   "alert",  "crit", "err",
                                                    "warning", "notice", "info", "debug"};
  switch (term.what) {
    case TwinTerm::text:
    case TwinTerm::quoted_text: {
      for (size_t i = 0; i + term.value.size() <= a_case.message.size(); ++i)
        if (a_case.message.compare(i, term.value.size(), term.value) == 0) return true;
      return false;
    }
    case TwinTerm::app:
      return (a_case.app == term.value) == (term.op == "=");
    case TwinTerm::procid: {
      const std::string type = a_case.procid.substr(0, term.value.size() + 1);
      return (a_case.procid == term.value || type == term.value + ".") == (term.op == "=");
    }
    case TwinTerm::severity: {
      long long number = 0;
      while (kSeverities[size_t(number)] != term.value) ++number;
      return twin_order(term.op, a_case.pri % 8, static_cast<long double>(number));
    }
    case TwinTerm::pair:
      break;
  }
  const auto pairs = twin_filter_pairs(a_case.message);
  const auto found = pairs.find(term.name);
  if (found == pairs.end()) return term.op == "!=";
  if (term.op == "=" || term.op == "!=") {
    std::string wanted = term.value;
    if (wanted.size() >= 2 && wanted[0] == '"') wanted = wanted.substr(1, wanted.size() - 2);
    return (found->second == wanted) == (term.op == "=");
  }
  const TwinNumber wanted = twin_filter_number(term.value), its = twin_filter_number(found->second);
  if (!its.good) return false;
  if (wanted.kind == 'n') return twin_order(term.op, its.plain, wanted.plain);
  return its.kind == wanted.kind && twin_order(term.op, its.millionths, wanted.millionths);
}

inline bool twin_wants(const TwinCase& a_case) {
  for (const auto& list : a_case.lists) {
    bool all = true;
    for (const TwinTerm& term : list)
      if (twin_holds(term, a_case) == term.negated) all = false;
    if (all) return true;
  }
  return false;
}

/// A filter and a record that often have to do with each other.
inline TwinCase twin_case(std::mt19937& random) {
  const auto below = [&](size_t n) { return size_t(random() % n); };
  const auto one_of = [&](const std::vector<std::string>& all) { return all[below(all.size())]; };
  static const std::vector<std::string> kNames{"a", "status", "service", "x", "sample#m"};
  static const std::vector<std::string> kWords{"a", "H12", "timeout", "web.1", "status",
                                               "=", "b=",  "\\",      "q"};
  const auto number = [&] {
    static const std::vector<std::string> kNumbers{"0",   "1",    "5",    "500",   "503",     "1000",
                                                   "1.5", "1500", ".5",   "0.001", "1024",    "-1",
                                                   "60",  "4.35", "4350", "1.",    "1.048576"};
    static const std::vector<std::string> kUnits{"",  "",  "",   "ms", "s",  "us", "m",
                                                 "h", "B", "kB", "KB", "MB", "GB"};
    return one_of(kNumbers) + one_of(kUnits);
  };

  TwinCase a_case;
  a_case.app = one_of({"heroku", "app", "a"});
  a_case.procid = one_of({"web.1", "web", "webhook.1", "router", "-"});
  a_case.pri = int(below(192));
  for (size_t parts = below(7); parts-- > 0;) {
    switch (below(6)) {
      case 0:
        a_case.message += one_of(kWords);
        break;
      case 1:
        a_case.message += one_of(kNames) + "=\"" + one_of(kWords) +
                          one_of({"", " ", "\\\"", "\\\\", " status=1 "}) + one_of({"", number()}) +
                          one_of({"\"", "\"", "\"", "", "\"\"", "\"x"});
        break;
      case 2:
        a_case.message +=
            one_of({"", "\"", "="}) + one_of(kNames) + "=" + one_of({"", "=", "x"}) + one_of(kWords);
        break;
      default:
        a_case.message += one_of(kNames) + "=" + number() + one_of({"", "", "", "\"", ",", "x"});
    }
    a_case.message += one_of({" ", " ", "  ", "\t", ""});
  }

  const auto term = [&] {
    TwinTerm out;
    out.negated = below(4) == 0;
    out.what = TwinTerm::What(below(6));
    if (below(2)) out.what = TwinTerm::pair;
    switch (out.what) {
      case TwinTerm::text:
        out.value = one_of({"a", "H12", "timeout", "q", "tus", "web.1"});
        break;
      case TwinTerm::quoted_text:
        out.value = one_of({"a", "a ", " ", "H12 status=", "=\t", "or"});
        break;
      case TwinTerm::app:
        out.op = one_of({"=", "!="});
        out.value = one_of({"heroku", "app", "ap"});
        break;
      case TwinTerm::procid:
        out.op = one_of({"=", "!="});
        out.value = one_of({"web", "web.1", "we", "router"});
        break;
      case TwinTerm::severity:
        out.op = one_of({"=", "!=", "<", "<=", ">", ">="});
        out.value = one_of({"emerg", "err", "warning", "info", "debug"});
        break;
      case TwinTerm::pair:
        out.name = one_of(kNames);
        out.op = one_of({"=", "!=", "<", "<=", ">", ">="});
        out.value = number();
        if (out.op == "=" || out.op == "!=")
          out.value = one_of({out.value, "a", "H12", "\"timeout\"", "\"a \"", "\"\"", "\"q\\\\\"", ""});
    }
    return out;
  };
  a_case.lists.resize(1 + below(3));
  for (auto& list : a_case.lists)
    for (size_t i = 1 + below(3); i-- > 0;) list.push_back(term());
  return a_case;
}

}  // namespace tailrace
