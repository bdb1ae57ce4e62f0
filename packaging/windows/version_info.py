"""The version resource of Windows' programs, which Explorer and Task Manager show."""

import re

from project import Project

# https://learn.microsoft.com/windows/win32/menurc/versioninfo-resource: US English, Unicode.
LANGUAGE, CODE_PAGE = 0x0409, 1200


def version_numbers(version: str) -> tuple[int, int, int, int]:
    """The four numbers of a version: 1.2.0rc1 is 1, 2, 0, 0."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    major, minor, patch, build = (*numbers, 0, 0, 0, 0)[:4]
    return major, minor, patch, build


def version_strings(project: Project, program: str) -> dict[str, str]:
    """What the resource says about the program of that name, without its extension."""
    return {
        "CompanyName": project.authors,
        # Task Manager and the firewall's question show it as the program's name.
        "FileDescription": project.title,
        "FileVersion": project.version,
        "InternalName": program,
        "LegalCopyright": f"{project.authors}; licence {project.license}",
        "OriginalFilename": f"{program}.exe",
        "ProductName": project.title,
        "ProductVersion": project.version,
    }


def version_resource(project: Project, program: str) -> str:
    """The resource of a program in the text format that PyInstaller reads."""
    numbers = version_numbers(project.version)
    strings = ", ".join(f"StringStruct({name!r}, {text!r})" for name, text in version_strings(project, program).items())
    table = f"StringTable('{LANGUAGE:04x}{CODE_PAGE:04x}', [{strings}])"
    translation = f"VarStruct('Translation', [{LANGUAGE}, {CODE_PAGE}])"
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}),"
        f" kids=[StringFileInfo([{table}]), VarFileInfo([{translation}])])\n"
    )
