"""What lines of records hold, as far as they are read again: each kind by what it calls itself under `bench`."""

from typing import Any, Literal, NotRequired, TypedDict


class Versions(TypedDict):
    jax: str


class Floor(TypedDict):
    """How fast it could be at best; the rate's name differs by kind."""

    limit: str
    copy_bytes_per_s: float
    distance: float


class BookFloor(Floor):
    messages_per_s: float


class StepFloor(Floor):
    steps_per_s: float


class Measured(TypedDict):
    """What records of all kinds have."""

    engine: str
    device: str
    cores: int
    versions: Versions
    commit: str
    command: str
    date: str
    run: str
    runs: int
    capacity: int
    messages_per_s: float
    compile_s: float
    peak_memory_bytes: int
    devices: NotRequired[int]
    peer: NotRequired[bool]
    interpreted: NotRequired[Any]
    compiled_numba: NotRequired[bool]
    not_zero: NotRequired[dict[str, int]]
    included: NotRequired[str]
    reset: NotRequired[str]


class All(TypedDict):
    all: float


class EngineRecord(Measured):
    """Of `bench engine`."""

    bench: Literal["engine"]
    books: int
    seed: int
    stream: str
    messages_per_call: int
    messages_per_s_min: float
    messages_per_s_max: float
    bytes_per_book: int
    floor: BookFloor
    agreement: NotRequired[All]


class EnvRecord(Measured):
    """Of `bench env`."""

    bench: Literal["env"]
    flow: str
    task: str
    reset: str
    envs: int
    messages_per_step: int
    steps_per_call: int
    decisions_per_episode: int
    steps_per_s: float
    steps_per_s_min: float
    steps_per_s_max: float
    step_compile_s: float
    step_compiled_numba: NotRequired[bool]
    bytes_per_env: int
    not_zero: dict[str, int]
    floor: StepFloor


class KernelRecord(TypedDict):
    """Of `bench kernel-compile`; beside it `instructions_per_message_STREAM` for streams that were counted by themselves."""

    kernel: str
    log: bool
    capacity: int
    instructions_per_message: float


SHOWN: dict[str, type] = {"engine": EngineRecord, "env": EnvRecord}  # what `bench table` shows
