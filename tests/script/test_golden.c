/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/golden.h"

#include <criterion/criterion.h>

Test(script_golden, what_does_not_load_says_where_and_why)
{
    golden_check("load.txt");
}

Test(script_golden, what_goes_wrong_says_where_and_why)
{
    golden_check("errors.txt");
}

Test(script_golden, the_sandbox_has_no_way_out)
{
    golden_check("sandbox.txt");
}

Test(script_golden, orders_and_numbers_are_the_same_everywhere)
{
    golden_check("order.txt");
}

Test(script_golden, demands_show_what_they_found)
{
    golden_check("demands.txt");
}

Test(script_golden, the_cluster_does_as_it_is_told)
{
    golden_check("cluster.txt");
}
