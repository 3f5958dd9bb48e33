"""`maskgen export`: a model as ONNX."""
