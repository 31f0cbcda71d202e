#define BOOST_TEST_MODULE engram
#include <boost/test/unit_test.hpp>
