/// A tool's failure is thrown as the message that reports it.
extension ToolError: Error {}
