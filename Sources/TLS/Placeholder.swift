// Placeholder: removed by the part's first file.
