// Beast's own source, compiled once for this program.
#include <boost/beast/src.hpp>
