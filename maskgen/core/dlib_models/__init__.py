"""dlib's trained models, which the package face_recognition_models holds, read without dlib."""
