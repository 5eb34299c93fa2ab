#pragma once
// `tailrace completion`, and what its scripts ask while somebody types.

namespace tailrace {

/// Prints a script.
int run_completion(int argc, char** argv);

/// `tailrace __complete channels|drains`, with the words of the command line so far on stdin, a line each:
/// the candidates that the API knows, a line each. Takes at most a second, and is silent if there are none.
int run_complete(int argc, char** argv);

}  // namespace tailrace
