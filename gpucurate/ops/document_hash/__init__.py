"""128-bit hashes of documents, and of files as they are written."""

from gpucurate.ops.document_hash.contract import document_hash
from gpucurate.ops.document_hash.hasher import DocumentHasher

__all__ = ["DocumentHasher", "document_hash"]
