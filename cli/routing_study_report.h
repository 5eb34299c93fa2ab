#pragma once
// The routing study for readers: tables in Markdown, and a picture.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/routing_study.h"

namespace tailrace {

/// The runs of one study, as routing_study() gives them.
struct RoutingStudyRuns {
  RoutingStudyOptions options;
  std::vector<RoutingStudyRun> slow;  // with the rare slow request
  std::vector<RoutingStudyRun> even;  // without
};

/// Three tables, each with a line in front of it that says what it shows.
std::string routing_study_tables(const RoutingStudyRuns& runs);

/// `page` with the tables between the lines `<!-- tables -->` and `<!-- end of tables -->` replaced; none if
/// it has no such lines.
std::optional<std::string> with_tables(std::string_view page, std::string_view tables);

/// An SVG on its own.
std::string routing_study_plot(const RoutingStudyRuns& runs);

}  // namespace tailrace
