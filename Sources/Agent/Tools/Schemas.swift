internal import Providers

/// The JSON Schemas that arguments are made of.
enum Schemas {
  static func text(_ description: String) -> JSON {
    ["type": "string", "description": .string(description)]
  }

  static func integer(_ description: String) -> JSON {
    ["type": "integer", "description": .string(description)]
  }

  static func flag(_ description: String) -> JSON {
    ["type": "boolean", "description": .string(description)]
  }

  static func texts(_ description: String) -> JSON {
    ["type": "array", "items": ["type": "string"], "description": .string(description)]
  }

  static func pairs(_ description: String) -> JSON {
    [
      "type": "object", "additionalProperties": ["type": "string"],
      "description": .string(description),
    ]
  }
}
