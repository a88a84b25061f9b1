/// Ends the run unless `holds`: the fuzzer then keeps the input. Unlike `precondition`, it also prints its message in
/// optimized code.
func expect(_ holds: Bool, _ message: @autoclosure () -> String) {
    if !holds { fatalError(message()) }
}
