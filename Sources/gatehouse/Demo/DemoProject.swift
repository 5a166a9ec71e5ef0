/// The small Python project that the demo mends, and the transcript of how a model would.
enum DemoProject {
  static let prompt = "The tests fail. Find out why, mend the code, and show that they pass."

  static let files = [
    "prices.py": """
    \"\"\"Prices in cents, so that no rounding loses money.\"\"\"


    def total(cents, count, discount=0):
        \"\"\"What `count` pieces cost, less `discount` percent.\"\"\"
        price = cents * count
        return price - price * discount // 100


    def label(cents):
        \"\"\"`1234` as it is printed on a price tag: `12.34`.\"\"\"
        return f"{cents // 100}.{cents % 100}"

    """,
    "test_prices.py": """
    import unittest

    from prices import label, total


    class Prices(unittest.TestCase):
        def test_discount(self):
            self.assertEqual(total(250, 4, discount=10), 900)

        def test_label(self):
            self.assertEqual(label(1234), "12.34")

        def test_label_of_few_cents(self):
            self.assertEqual(label(1205), "12.05")


    if __name__ == "__main__":
        unittest.main()

    """,
  ]

  /// For the provider `script`. It looks at what the tools return before it goes on.
  static let transcript = #"""
    {"name": "script", "pace_ms": 12, "steps": [
      {"text": "I run the tests first.",
       "calls": [{"tool": "process.exec", "arguments": {"argv": ["python3", "-m", "unittest", "-q"]}}]},
      {"choices": [
        {"if_result": "FAILED",
         "text": "One fails: 1205 cents come out as 12.5, not 12.05. I read the code.",
         "calls": [{"tool": "files.read", "arguments": {"path": "prices.py"}}]},
        {"if_result": "OK", "text": "All tests pass already; there is nothing to mend."},
        {"text": "The tests can't be run here; is python3 installed?"}]},
      {"text": "label() drops the zero before a single digit of cents. Two digits will do.",
       "calls": [{"tool": "files.edit", "arguments": {"path": "prices.py", "edits": [
         {"old_text": "{cents % 100}", "new_text": "{cents % 100:02}"}]}}]},
      {"text": "Now the tests again.",
       "calls": [{"tool": "process.exec", "arguments": {"argv": ["python3", "-m", "unittest", "-q"]}}]},
      {"choices": [
        {"if_result": "OK",
         "text": "All tests pass. label() now pads the cents to two digits; nothing else changed."},
        {"text": "The tests still fail; I leave it to you."}]}
    ]}
    """#
}
