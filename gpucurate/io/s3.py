"""Requests to S3 that fsspec has no words for: conditions, parts of uploads, the store's clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gpucurate.io.retrying import answer_of, code_of, retried

_CONNECTIONS = 64
_DRIVER = {
    "retries": {"total_max_attempts": 1},  # retrying.py has the only say in that
    "connect_timeout": 10,
    "read_timeout": 30,
    "max_pool_connections": _CONNECTIONS,
}
_REFUSED = ("PreconditionFailed", "412")


class ConditionError(OSError):
    """The object is not what the request made a condition of: another one has written it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing has it: key, bytes, entity tag."""

    key: str
    size: int
    etag: str


def s3_filesystem() -> Any:
    """The file system of fsspec for S3, which tries nothing again by itself.

    Settings of fsspec (``FSSPEC_S3_...``, its configuration files) hold, and those of the AWS tools.

    Raises:
        ImportError: its driver is not installed.
    """
    import fsspec

    given = fsspec.config.conf.get("s3", {}).get("config_kwargs", {})
    filesystem = fsspec.filesystem("s3", config_kwargs={**_DRIVER, **given}, use_listings_cache=False)
    filesystem.retries = 1
    return filesystem


class S3Bucket:
    """A bucket; each request is tried again when an error passes (:func:`~gpucurate.io.retrying.retried`).

    Args:
        filesystem: of :func:`s3_filesystem`.
        name: of the bucket.

    All methods raise ``FileNotFoundError`` or ``PermissionError`` for what is so, ``GaveUpError`` after
    too many tries, and ``OSError`` otherwise.
    """

    def __init__(self, filesystem: Any, name: str) -> None:
        self._filesystem = filesystem
        self.name = name

    def get(self, key: str, start: int, stop: int, etag: str | None, *, was_listed: bool = False) -> bytes:
        """Bytes of an object.

        Args:
            key: of the object.
            start: first byte.
            stop: behind the last one.
            etag: a condition; None for any.
            was_listed: whether it was listed a moment ago.

        Raises:
            ConditionError: the object has another entity tag by now.
        """
        from fsspec.asyn import sync

        condition = {} if etag is None else {"IfMatch": etag}
        wanted = {"Bucket": self.name, "Key": key, "Range": f"bytes={start}-{stop - 1}", **condition}

        def get() -> bytes:
            body = bytes(sync(self._filesystem.loop, _body, self._filesystem, wanted))
            if len(body) != stop - start:
                raise ConnectionError(f"{len(body)} of {stop - start} bytes came")
            return body

        with_condition = _Conditional(f"{key} has another entity tag by now")
        return bytes(with_condition(get, was_listed=was_listed))

    def head(self, key: str) -> dict[str, Any]:
        """What the store says of an object, as S3 calls it."""
        return self._ask("head_object", Key=key)

    def age(self, key: str) -> float:
        """Seconds since an object was written, both by the store's clock."""
        from email.utils import parsedate_to_datetime

        answer = self.head(key)
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return float((now - answer["LastModified"]).total_seconds())

    def put(self, key: str, body: bytes, *, etag: str | None = None, is_new: bool = False) -> str:
        """Write an object; its entity tag.

        Args:
            key: of the object.
            body: all of it.
            etag: of the object that it replaces; None for any.
            is_new: there must be none.

        Raises:
            ConditionError: there is another one than that; or the answer to an earlier try, which has
                written it, was lost.
        """
        condition = {"IfNoneMatch": "*"} if is_new else {} if etag is None else {"IfMatch": etag}
        say = _Conditional(f"{key} was written by another one")
        answer = say(lambda: self._once("put_object", Key=key, Body=body, **condition))
        return str(answer["ETag"])

    def delete(self, key: str) -> None:
        """Remove an object; nothing if there is none."""
        self._ask("delete_object", Key=key)

    def list(self, prefix: str) -> Iterator[Listed]:
        """The objects whose keys begin with ``prefix``."""
        for page in self._pages("list_objects_v2", "ContinuationToken", Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield Listed(entry["Key"], entry["Size"], entry["ETag"])

    def begin_upload(self, key: str, writer: str) -> str:
        """Begin an object in parts, which is seen by nobody before it is completed; the upload's id.

        Args:
            key: of the object.
            writer: a name for it, which :meth:`head` tells of the object.
        """
        answer = self._ask("create_multipart_upload", Key=key, Metadata={"gpucurate-writer": writer})
        return str(answer["UploadId"])

    def put_part(self, key: str, upload: str, number: int, body: bytes) -> str:
        """Send a part, counted from 1; its entity tag."""
        answer = self._ask("upload_part", Key=key, UploadId=upload, PartNumber=number, Body=body)
        return str(answer["ETag"])

    def complete(self, key: str, upload: str, parts: Sequence[str], writer: str) -> None:
        """Make an object of its parts, by their entity tags; nothing if that was done before.

        Raises:
            FileNotFoundError: the upload was ended, and there is no such object.
        """
        made = {"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(parts, 1)]}

        def complete() -> None:
            try:
                self._once("complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload=made)
            except OSError:
                if self.is_of(key, writer):
                    return  # the answer to an earlier try was lost
                self._once("list_parts", Key=key, UploadId=upload, MaxParts=1)  # is it there at all?
                raise

        retried(complete)

    def is_of(self, key: str, writer: str) -> bool:
        """Whether there is an object that this writer has made."""
        try:
            return bool(self.head(key).get("Metadata", {}).get("gpucurate-writer") == writer)
        except FileNotFoundError:
            return False

    def abort(self, key: str, upload: str) -> None:
        """Drop the parts of an upload; nothing if it was completed or ended."""
        try:
            self._ask("abort_multipart_upload", Key=key, UploadId=upload)
        except FileNotFoundError:
            return  # completed or ended

    def uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and id of each upload that was begun, and neither completed nor ended."""
        marks: dict[str, Any] = {}
        while True:
            page = self._ask("list_multipart_uploads", Prefix=prefix, **marks)
            for upload in page.get("Uploads", ()):
                yield upload["Key"], upload["UploadId"]
            if not page.get("IsTruncated"):
                return
            marks = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def _pages(self, method: str, mark: str, **wanted: Any) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._ask(method, **wanted, **token)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {mark: page[f"Next{mark}"]}

    def _ask(self, method: str, **wanted: Any) -> dict[str, Any]:
        return retried(lambda: self._once(method, **wanted))

    def _once(self, method: str, **wanted: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._filesystem.call_s3(method, Bucket=self.name, **wanted)
        return answer


@dataclass(frozen=True, slots=True)
class _Conditional:
    """Makes requests under a condition; ``says`` is the sentence if it does not hold."""

    says: str

    def __call__(self, call: Any, **options: Any) -> Any:
        try:
            return retried(call, **options)
        except OSError as error:
            if code_of(error) in _REFUSED or _status(error) == 412:
                raise ConditionError(self.says) from error
            raise


def _status(error: BaseException) -> int | None:
    return answer_of(error.__cause__)[0] if error.__cause__ is not None else None


async def _body(filesystem: Any, wanted: dict[str, Any]) -> bytes:
    answer = await filesystem._call_s3("get_object", **wanted)
    try:
        content: bytes = await answer["Body"].read()
        return content
    finally:
        answer["Body"].close()
